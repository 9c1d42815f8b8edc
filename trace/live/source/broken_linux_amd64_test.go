package source_test

import (
	"bytes"
	"debug/elf"
	"math/rand/v2"
	"os"
	"testing"

	"lbaws/trace/live/source"
	"lbaws/trace/tracetest"
)

// TestBroken: whatever stands in a file's debug information, and in its description of the
// stack, the program is traced to its end.
func TestBroken(t *testing.T) {
	tracetest.Need(t, "gcc", "gcc")
	for _, options := range []string{"-gdwarf-4", "-gdwarf-5"} {
		_, program := build(t, "server.c", "gcc", options, "-O2", "-static")
		text, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		f, err := elf.NewFile(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for _, name := range []string{".debug_info", ".debug_line", ".debug_abbrev", ".debug_rnglists", ".debug_str",
			".debug_ranges", ".debug_line_str", ".eh_frame"} {
			section := f.Section(name)
			if section == nil {
				continue
			}
			for range 8 {
				broken := bytes.Clone(text)
				for range 1 + random.IntN(16) {
					broken[section.Offset+random.Uint64N(min(section.Size, 2000))] = byte(random.Uint32())
				}
				path := program + ".broken"
				if err := os.WriteFile(path, broken, 0o777); err != nil {
					t.Fatal(err)
				}
				var lines source.Lines
				follow(t, func(s stop) { lines.Caller(s.pid, s.registers, memory(s.pid)) }, path)
			}
		}
	}
}
