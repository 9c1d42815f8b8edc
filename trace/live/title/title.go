// Package title says what a run of other programs is called.
package title

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Of returns a title for a run, which begins with a command: that with its programs and their
// arguments, as a shell has them, but not all of a long one; or with the process pid, which runs
// already. The command alone is the title of no programs.
func Of(command string, programs [][]string, pid int) string {
	const most = 400 // characters
	if pid > 0 {
		return command + " -p " + strconv.Itoa(pid)
	}
	title := command
	for i, program := range programs {
		if i > 0 {
			title += " --"
		}
		for _, argument := range program {
			title += " " + quoted(argument)
		}
	}
	if utf8.RuneCountInString(title) <= most {
		return title
	}
	return string([]rune(title)[:most-1]) + "…"
}

// quoted returns an argument in printable characters, in quotes if a shell would take it for
// something else.
func quoted(argument string) string {
	const special = " \"'\\$`!*?[]{}()<>|&;#~"
	text := strconv.Quote(argument)
	if plain := text[1 : len(text)-1]; plain == argument && argument != "" && !strings.ContainsAny(argument, special) {
		return argument
	}
	return text
}
