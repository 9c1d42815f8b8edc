package source

import (
	"debug/dwarf"
	"debug/elf"
	"os"
	"slices"
	"strings"
)

// program is an executable file and its debug information, which several processes may run.
type program struct {
	file       os.FileInfo
	sections   map[string][]byte // of debug information
	info       *dwarf.Data       // nil if there is none that can be read
	frames     []function        // of .debug_frame
	exceptions []function        // of .eh_frame, if it has no table in memory
	text       uint64            // where the lowest instruction lies
	known      map[uint64][]line
}

// line is a line of a program, and whose it is.
type line struct {
	Place
	owner owner
}

// A program's debug information is kept in memory, if it is no longer than this.
const mostInfo = 256 << 20

// program returns what is known of an executable, which is not read again for each process. It
// is nil if the file cannot be opened.
func (l *Lines) program(path string) *program {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil
	}
	for _, p := range l.programs {
		if os.SameFile(p.file, info) && p.file.ModTime().Equal(info.ModTime()) && p.file.Size() == info.Size() {
			return p
		}
	}
	if len(l.programs) >= mostPrograms {
		l.programs = slices.Delete(l.programs, 0, 1)
	}
	p := &program{file: info, known: make(map[uint64][]line)}
	l.programs = append(l.programs, p)
	p.read(file)
	return p
}

// read reads the debug information. A file without it, or of another machine, has none.
func (p *program) read(file *os.File) {
	defer func() {
		if recover() != nil {
			p.info = nil
		}
	}()
	f, err := elf.NewFile(file)
	if err != nil || f.Machine != elf.EM_X86_64 || f.Class != elf.ELFCLASS64 {
		return
	}
	for _, header := range f.Progs {
		if header.Type == elf.PT_LOAD && header.Flags&elf.PF_X != 0 {
			p.text = header.Vaddr
			break
		}
	}
	sections := debugSections(f)
	if sections[".debug_info"] == nil || sections[".debug_line"] == nil {
		return
	}
	info, err := dwarf.New(sections[".debug_abbrev"], nil, nil, sections[".debug_info"],
		sections[".debug_line"], nil, sections[".debug_ranges"], sections[".debug_str"])
	if err != nil {
		return
	}
	for _, name := range []string{".debug_addr", ".debug_line_str", ".debug_str_offsets", ".debug_rnglists"} {
		if err := info.AddSection(name, sections[name]); err != nil {
			return
		}
	}
	p.frames = readFrames(sections[".debug_frame"], 0)
	if s := f.Section(".eh_frame"); s != nil && s.Size < mostInfo && f.Section(".eh_frame_hdr") == nil {
		if data, err := s.Data(); err == nil {
			p.exceptions = readFrames(data, s.Addr)
		}
	}
	p.info, p.sections = info, sections
}

// debugSections returns the contents of a file's sections of debug information, unpacked; none
// if they are too long. Those that are packed in the older way, as .zdebug_info, do not count:
// compilers of this decade do not write them.
func debugSections(f *elf.File) map[string][]byte {
	sections := make(map[string][]byte)
	total := uint64(0)
	for _, s := range f.Sections {
		if !strings.HasPrefix(s.Name, ".debug_") || sections[s.Name] != nil || s.Type == elf.SHT_NOBITS {
			continue
		}
		if s.Size > mostInfo || total+s.Size > mostInfo {
			return nil
		}
		total += s.Size // once unpacked
		if data, err := s.Data(); err == nil {
			sections[s.Name] = data
		}
	}
	return sections
}

// lines returns the lines of the instruction in front of an address of the file: that of the
// innermost function that was inlined there first, that of the function itself last.
func (p *program) lines(pc uint64) []line {
	if lines, known := p.known[pc]; known {
		return lines
	}
	if len(p.known) >= mostRemembered {
		clear(p.known)
	}
	lines := p.find(pc - 1)
	p.known[pc] = lines
	return lines
}

// find looks for the lines of an address.
func (p *program) find(address uint64) []line {
	r := p.info.Reader()
	unit, err := r.SeekPC(address)
	if err != nil {
		return nil
	}
	table, ok := p.newTable(unit)
	if !ok {
		return nil
	}
	row, ok := table.row(address, p.text)
	if !ok {
		return nil
	}
	var lines []line
	add := func(function string) bool {
		file, ok := table.file(row.file)
		if ok = ok && row.line > 0; ok {
			lines = append(lines, newLine(Place{file, int(row.line), function}))
		}
		return ok
	}
	inside := p.functionsAt(r, address)
	slices.Reverse(inside)
	for _, entry := range inside {
		if !add(p.name(entry)) || entry.Tag != dwarf.TagInlinedSubroutine {
			return lines
		}
		file, _ := entry.Val(dwarf.AttrCallFile).(int64)
		row.file = uint64(file)
		row.line, _ = entry.Val(dwarf.AttrCallLine).(int64)
	}
	if len(lines) == 0 {
		add("")
	}
	return lines
}

// functionsAt returns the function that holds an address, and behind it the functions that were
// inlined there. The reader stands at the first entry in the compilation unit.
func (p *program) functionsAt(r *dwarf.Reader, address uint64) []*dwarf.Entry {
	var found []*dwarf.Entry
	walk(r, func(entry *dwarf.Entry) bool {
		switch entry.Tag {
		case dwarf.TagSubprogram, dwarf.TagInlinedSubroutine:
			if !p.holds(entry, address) {
				return false
			}
			found = append(found, entry)
			return true
		case dwarf.TagLexDwarfBlock:
			return p.holds(entry, address)
		}
		return isScope(entry.Tag)
	})
	return found
}

// isScope reports whether functions may stand in an entry of that kind.
func isScope(tag dwarf.Tag) bool {
	switch tag {
	case dwarf.TagNamespace, dwarf.TagModule, dwarf.TagStructType, dwarf.TagClassType:
		return true
	}
	return false
}

// walk visits the entries of a family, from the one that the reader reads next, and the children
// of those for which visit returns true. (Reader.SkipChildren calls itself for each generation:
// a file could have it run out of stack.)
func walk(r *dwarf.Reader, visit func(*dwarf.Entry) bool) {
	skipped := 0 // generations below the last entry that was visited
	for depth := 0; depth >= 0; {
		entry, err := r.Next()
		switch {
		case err != nil || entry == nil:
			return
		case entry.Tag == 0 && skipped > 0:
			skipped--
		case entry.Tag == 0:
			depth--
		case skipped > 0:
			if entry.Children {
				skipped++
			}
		case visit(entry):
			if entry.Children {
				depth++
			}
		case entry.Children:
			if next, ok := entry.Val(dwarf.AttrSibling).(dwarf.Offset); ok && next > entry.Offset {
				r.Seek(next)
			} else {
				skipped++
			}
		}
	}
}

// holds reports whether an entry's instructions hold an address.
func (p *program) holds(entry *dwarf.Entry, address uint64) bool {
	ranges, err := p.info.Ranges(entry)
	return err == nil && slices.ContainsFunc(ranges, func(r [2]uint64) bool {
		return p.text <= r[0] && r[0] <= address && address < r[1]
	})
}

// name returns a function's name. An inlined function's stands where the function itself is
// described, and a method's in its class.
func (p *program) name(entry *dwarf.Entry) string {
	const mostSteps = 4
	for range mostSteps {
		if name, ok := entry.Val(dwarf.AttrName).(string); ok {
			return name
		}
		to, ok := entry.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			to, ok = entry.Val(dwarf.AttrSpecification).(dwarf.Offset)
		}
		if !ok {
			return ""
		}
		r := p.info.Reader()
		r.Seek(to)
		next, err := r.Next()
		if err != nil || next == nil {
			return ""
		}
		entry = next
	}
	return ""
}
