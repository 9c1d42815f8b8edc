package source

import (
	"debug/dwarf"
	"strings"
)

// table is the table of lines of a compilation unit. (That of debug/dwarf makes as many strings
// as a file says it has names.)
//
// Source: DWARF 5 section 6.2.4.
type table struct {
	folder   string // in which the compiler ran
	folders  [][]byte
	files    []fileName
	program  cursor
	unit     uint64 // the size of the smallest instruction
	lineBase int64
	lines    uint64 // how many of them there are in an instruction that changes both the line and the address
	lengths  []byte // how many operands the program's instructions have
}

// fileName is the name of a file, and the index of its folder.
type fileName struct {
	name   []byte
	folder uint64
}

// newTable reads the table of a compilation unit, up to its program.
func (p *program) newTable(unit *dwarf.Entry) (*table, bool) {
	const longest = 0xfffffff0 // what is not less is a length of eight bytes
	at, ok := unit.Val(dwarf.AttrStmtList).(int64)
	if !ok || at < 0 || at > int64(len(p.sections[".debug_line"])) {
		return nil, false
	}
	c := &cursor{b: p.sections[".debug_line"][at:]}
	length := c.u32()
	if length >= longest {
		return nil, false
	}
	c.b = c.take(length)
	version := c.u16()
	if version < 2 || version > 5 {
		return nil, false
	}
	if version == 5 {
		c.take(2) // the sizes of an address and of a segment's number
	}
	header := &cursor{b: c.take(c.u32())}
	t := &table{program: *c, unit: header.u8()}
	t.folder, _ = unit.Val(dwarf.AttrCompDir).(string)
	if version >= 4 {
		header.u8() // for machines that do several operations in an instruction
	}
	header.u8() // whether an instruction begins a statement
	t.lineBase, t.lines = int64(int8(header.u8())), header.u8()
	t.lengths = header.take(max(1, header.u8()) - 1)
	if version == 5 {
		p.readNames(header, func(f fileName) { t.folders = append(t.folders, f.name) })
		p.readNames(header, func(f fileName) { t.files = append(t.files, f) })
	} else {
		t.readOldNames(header)
	}
	return t, !header.bad && !c.bad && t.lines > 0
}

// readOldNames reads the names of folders and files of before DWARF 5. Those with the index 0
// are the folder in which the compiler ran, and no file.
func (t *table) readOldNames(c *cursor) {
	t.folders = [][]byte{nil}
	for name := c.name(); len(name) > 0; name = c.name() {
		t.folders = append(t.folders, name)
	}
	t.files = []fileName{{}}
	for name := c.name(); len(name) > 0; name = c.name() {
		t.files = append(t.files, fileName{name, c.uleb()})
		c.uleb() // when it was changed
		c.uleb() // how long it is
	}
}

// readNames reads names of folders or of files, as DWARF 5 has them: first what is said of each.
func (p *program) readNames(c *cursor, add func(fileName)) {
	const isPath, isFolder = 1, 2 // DW_LNCT_path, DW_LNCT_directory_index
	var kinds [][2]uint64
	for range c.u8() {
		kinds = append(kinds, [2]uint64{c.uleb(), c.uleb()})
	}
	for range c.uleb() {
		var f fileName
		if c.bad || len(c.b) == 0 {
			c.bad = true
			return
		}
		before := len(c.b)
		for _, kind := range kinds {
			name, number := p.readForm(c, kind[1])
			switch kind[0] {
			case isPath:
				f.name = name
			case isFolder:
				f.folder = number
			}
		}
		if len(c.b) == before {
			c.bad = true
			return
		}
		add(f)
	}
}

// readForm reads a name or a number.
//
// Source: DWARF 5 section 7.5.6.
func (p *program) readForm(c *cursor, form uint64) (name []byte, number uint64) {
	const (
		data2, data4, data8, str, data1 = 0x05, 0x06, 0x07, 0x08, 0x0b
		strp, udata, data16, lineStrp   = 0x0e, 0x0f, 0x1e, 0x1f
	)
	switch form {
	case str:
		return c.name(), 0
	case strp, lineStrp:
		section := p.sections[".debug_str"]
		if form == lineStrp {
			section = p.sections[".debug_line_str"]
		}
		s := cursor{b: section}
		s.take(c.u32())
		return s.name(), 0
	case data1:
		return nil, c.u8()
	case data2:
		return nil, c.u16()
	case data4:
		return nil, c.u32()
	case data8:
		return nil, c.u64()
	case data16:
		c.take(16)
	case udata:
		return nil, c.uleb()
	default:
		c.bad = true
	}
	return nil, 0
}

// file returns the path of a file.
func (t *table) file(index uint64) (string, bool) {
	if index >= uint64(len(t.files)) || len(t.files[index].name) == 0 {
		return "", false
	}
	f := t.files[index]
	parts := []string{string(f.name)}
	if f.folder < uint64(len(t.folders)) {
		parts = []string{t.folder, string(t.folders[f.folder]), string(f.name)}
	}
	path := ""
	for _, part := range parts {
		if strings.HasPrefix(part, "/") || path == "" || path == "." {
			path = part
		} else if part != "" && part != "." {
			path = strings.TrimSuffix(path, "/") + "/" + part
		}
	}
	return path, true
}

// row is a row of the table: the instructions from its address to that of the next row are the
// line's.
type row struct {
	address, file uint64
	line          int64
	isEnd         bool // of a sequence of rows
}

// row looks for the row that holds an address. Sequences of instructions that begin in front of
// the program's text, at lowest, belong to functions that the linker threw away.
func (t *table) row(address, lowest uint64) (row, bool) {
	begin := row{file: 1, line: 1}
	now, last := begin, row{isEnd: true}
	first := uint64(0) // the sequence's first address
	for len(t.program.b) > 0 {
		if !t.step(&now) {
			continue
		}
		if last.isEnd {
			first = now.address
		} else if first >= lowest && last.address <= address && address < now.address {
			return last, true
		}
		if last = now; now.isEnd {
			now = begin
		}
	}
	return row{}, false
}

// step does an instruction of the program, and reports whether it makes a row.
//
// Source: DWARF 5 section 6.2.5.
func (t *table) step(r *row) bool {
	const (
		extended, copyRow, advanceAddress, advanceLine, setFile = 0, 1, 2, 3, 4
		addConstant, addFixed                                   = 8, 9
		endSequence, setAddress                                 = 1, 2
	)
	c := &t.program
	first := uint64(len(t.lengths)) + 1 // instruction that changes both the line and the address
	code := c.u8()
	switch {
	case code >= first:
		r.address += (code - first) / t.lines * t.unit
		r.line += t.lineBase + int64((code-first)%t.lines)
		return true
	case code == extended:
		e := cursor{b: c.take(c.uleb())}
		switch e.u8() {
		case endSequence:
			r.isEnd = true
			return true
		case setAddress:
			r.address = e.u64()
		}
	case code == copyRow:
		return true
	case code == advanceAddress:
		r.address += c.uleb() * t.unit
	case code == advanceLine:
		r.line += c.sleb()
	case code == setFile:
		r.file = c.uleb()
	case code == addConstant:
		r.address += (255 - first) / t.lines * t.unit
	case code == addFixed:
		r.address += c.u16()
	default:
		for range t.lengths[code-1] {
			c.uleb()
		}
	}
	return false
}
