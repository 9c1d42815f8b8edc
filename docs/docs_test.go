package docs_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

var update = flag.Bool("update", false, "let TestDocuments write what the commands print into the documents")

var twice = flag.Bool("twice", false, "let TestDocuments follow each document from its beginning to its end, too, twice in one shell")

// onceAMinute is what a section says that cannot be repeated sooner.
const onceAMinute = "only after a minute"

// TestDocuments runs every command of the documents, and compares what it prints
// with what the document shows. Each section has a shell of its own, in which the
// commands above the first section are typed first.
func TestDocuments(t *testing.T) {
	for _, tool := range [][2]string{{"bash", "bash"}, {"curl", "curl"}, {"strace", "strace"}, {"ss", "iproute2"},
		{"ip", "iproute2"}, {"unshare", "util-linux"}, {"python3", "python3"}, {"telnet", "telnet"}, {"pkill", "procps"}} {
		tracetest.Need(t, tool[0], tool[1])
	}
	tracetest.Long(t)
	needNamespace(t)
	documents, err := filepath.Glob("*.md")
	if err != nil || len(documents) < 5 {
		t.Fatalf("%v, %v", documents, err)
	}
	for _, name := range documents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			followDocument(t, name)
		})
	}
}

func followDocument(t *testing.T, name string) {
	sections := regexp.MustCompile(`(?m)^## `).Split(tracetest.ReadFile(t, name), -1)
	today := slices.Clone(sections)
	t.Run("sections", func(t *testing.T) {
		for i, section := range sections {
			title, _, _ := strings.Cut(section, "\n")
			if !consoleBlock.MatchString(section) {
				continue
			}
			t.Run(title, func(t *testing.T) {
				t.Parallel()
				shell := newShell(t)
				if i > 0 {
					followSection(shell, sections[0])
				}
				today[i] = followSection(shell, section)
			})
		}
	})
	if *twice {
		t.Run("twice", func(t *testing.T) {
			t.Parallel()
			shell := newShell(t)
			for range 2 {
				for _, section := range sections {
					if shell.typed == 0 || !strings.Contains(section, onceAMinute) {
						followSection(shell, section)
						shell.leaves()
					}
				}
			}
		})
	}
	if *update {
		if err := os.WriteFile(name, []byte(strings.Join(today, "## ")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// consoleBlock is a block of commands and outputs. A comment above it says that its numbers
// vary, or which keys are pressed: then the command has a terminal of its own, and a block
// without a command goes on with that terminal's screen.
var consoleBlock = regexp.MustCompile("(?s)(?:<!-- (numbers vary|keys: [^\n]*?(?:, numbers vary)?) -->\n)?```console\n(.*?)```\n")

// followSection types the commands of a section, and returns the section with
// what they print today.
func followSection(shell *shell, section string) string {
	return consoleBlock.ReplaceAllStringFunc(section, func(block string) string {
		parts := consoleBlock.FindStringSubmatch(block)
		above, _, _ := strings.Cut(block, "```console\n")
		normal := func(text string) string { return normalDocument(text, strings.HasSuffix(parts[1], "numbers vary")) }
		today := above + "```console\n"
		if keys, isTerminal := strings.CutPrefix(parts[1], "keys: "); isTerminal {
			keys, _, _ = strings.Cut(keys, ", ")
			command, shown := "", parts[2]
			if strings.HasPrefix(shown, "$ ") {
				command, shown = commandAndOutput(shown[len("$ "):])
				today += "$ " + command + "\n"
			}
			printed := shell.presses(command, keys, shown, normal)
			return today + leaveOut(shown, printed, normal) + "```\n"
		}
		if !strings.HasPrefix(parts[2], "$ ") {
			shell.t.Errorf("a block with no command:\n%s", block)
		}
		for _, command := range regexp.MustCompile(`(?m)^\$ `).Split(parts[2], -1)[1:] {
			typed, shown := commandAndOutput(command)
			printed := shell.types(typed)
			if !shows(normal(shown), normal(printed)) && !*update {
				shell.t.Errorf("$ %s\n--- printed:\n%s\n--- in the document:\n%s", typed, printed, shown)
			}
			today += "$ " + strings.ReplaceAll(typed, "\n", "\n> ") + "\n" + leaveOut(shown, printed, normal)
		}
		return today + "```\n"
	})
}

// commandAndOutput cuts what follows a prompt. A command goes on after "> ".
func commandAndOutput(text string) (command, output string) {
	command, output, _ = strings.Cut(text, "\n")
	for strings.HasPrefix(output, "> ") {
		var line string
		line, output, _ = strings.Cut(output[len("> "):], "\n")
		command += "\n" + line
	}
	return command, output
}
