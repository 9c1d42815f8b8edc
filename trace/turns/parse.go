package turns

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// network is who is between the programs.
const network = "network"

// forms has what the moves of a program are, and what may follow each. Words in capitals stand
// for others: see isA.
var forms = map[string][]string{
	"socket": {"", "AF_INET", "AF_INET6"}, "setsockopt": {"OPTION NUMBER"}, "bind": {"", "HOST"}, "listen": {"NUMBER"},
	"accept": {""}, "connect": {"", "HOST"}, "read": {"", "up to NUMBER"},
	"write":    {"a request", "a request of NUMBER bytes", "a response", "a response of NUMBER bytes", "TEXT"},
	"shutdown": {"", "SHUT_RD", "SHUT_WR", "SHUT_RDWR"}, "getsockname": {""}, "close": {""},

	"killed": {""}, "interrupted": {""}, "gets": {"SIGPIPE"}, "sends": {"a probe"}, "delays": {"its ACK"}, "has": {"no timer"},
	"forks": {"NEW"}, "is": {"answered", "unplugged", "plugged in"}, "becomes": {"STATE"},
}

// networkForms are likewise those of the network.
var networkForms = map[string][]string{
	"holds": {"everything"}, "passes": {"two segments", "everything"}, "loses": {"everything"},
	"sets": {"SYSCTL NUMBER", "SYSCTL NUMBER NUMBER"},
}

var (
	programName = regexp.MustCompile(`^(server|client)[2-9]?$`)
	result      = regexp.MustCompile(`^(\d{1,9}|E[A-Z0-9]+)$`)
	digits      = regexp.MustCompile(`^\d{1,9}$`)
	sysctl      = regexp.MustCompile(`^(tcp|ip)_[a-z0-9_]+$`)
)

// isA reports whether a word is what a word of a form stands for.
func isA(kind, word string) bool {
	switch kind {
	case "NUMBER":
		return digits.MatchString(word)
	case "OPTION":
		return options[word] != [2]int{}
	case "HOST":
		addr, err := netip.ParseAddr(word)
		return err == nil && addr.Zone() == ""
	case "TEXT":
		return word[0] == '"'
	case "STATE":
		_, known := wire.ParseState(word)
		return known
	case "NEW":
		return programName.MatchString(word) && len(word) > len("server")
	case "SYSCTL":
		return sysctl.MatchString(word)
	}
	return kind == word
}

// parser reads an order.
type parser struct {
	*Order
	waits     map[string]*move // the programs' calls that have begun and are to return
	unplugged map[string]*move // by which their machines are
}

// parse reads an order. The error names the line that cannot be played.
func parse(name, text string) (*Order, error) {
	p := &parser{Order: &Order{Name: name, roles: make(map[string]Role)}, waits: make(map[string]*move), unplugged: make(map[string]*move)}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if rest, isComment := strings.CutPrefix(line, "#"); isComment && p.About == "" {
			p.About = strings.TrimSpace(rest)
		}
		words, err := words(line)
		if err == nil && len(words) > 0 {
			err = p.line(n, words)
		}
		if err != nil {
			return nil, atLine(n, line, err)
		}
	}
	return p.Order, p.end()
}

// atLine says on which line of an order something is wrong.
func atLine(n int, line string, err error) error {
	return fmt.Errorf("line %d, %s: %w", n, shortened(line), err)
}

// shortened is a line as an error shows it.
func shortened(line string) string {
	const enough = 60
	line = strings.Join(strings.Fields(line), " ")
	if len(line) > enough {
		line = line[:enough] + "…"
	}
	return strconv.Quote(line)
}

// words cuts a line into words, up to its comment. A text in quotes, as Go writes it, is one.
func words(line string) (words []string, err error) {
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			return words, nil
		}
		word := line
		if line[0] == '"' {
			if word, err = strconv.QuotedPrefix(line); err != nil {
				return nil, errors.New(`a text ends with ", on its line; \n is a new line in it, and \" a quote`)
			}
		} else if n := strings.IndexAny(line, " \t\r\n"); n >= 0 {
			word = line[:n]
		}
		words, line = append(words, word), line[len(word):]
	}
}

// line reads a line that is not empty.
func (p *parser) line(n int, words []string) error {
	m := move{line: n, text: strings.Join(words, " "), who: words[0]}
	switch {
	case m.who != network && !programName.MatchString(m.who):
		return errors.New("a line begins with server, client, one of them with a number from 2 to 9 (client2), or network")
	case len(words) < 2:
		return errors.New("it does not say what the " + m.who + " does")
	case words[1] == "runs":
		return p.role(m.who, words[2:])
	}
	if err := m.read(words[1:]); err != nil {
		return err
	}
	if err := p.check(&m); err != nil {
		return err
	}
	p.moves = append(p.moves, m)
	return nil
}

var errUnplugged = errors.New("what a machine sends would arrive although it is unplugged: a line has to plug it in before")

// acts reports whether a program has a line so far.
func (p *parser) acts(who string) bool {
	_, runs := p.roles[who]
	return runs || slices.ContainsFunc(p.moves, func(m move) bool { return m.who == who || m.verb == "forks" && m.args[0] == who })
}

// role reads what follows runs.
func (p *parser) role(who string, words []string) error {
	r := Role{Connections: 1, HalfClose: true}
	isServer := strings.HasPrefix(who, "server")
	switch {
	case p.acts(who):
		return errors.New("that stands before the first of its moves")
	case len(words) == 1 && words[0] == "get" && strings.HasPrefix(who, "client"):
		r.Client = true
	case len(words) == 0 || words[0] != "serve" || !isServer:
		return errors.New("a server runs serve, and a client get")
	}
	for rest := words[1:]; len(rest) > 0; rest = rest[1:] {
		switch {
		case rest[0] == "-halfclose=false":
			r.HalfClose = false
		case rest[0] == "-n" && len(rest) > 1 && digits.MatchString(rest[1]) && number(rest[1]) > 0:
			r.Connections, rest = number(rest[1]), rest[1:]
		default:
			return errors.New("serve has -n NUMBER and -halfclose=false here")
		}
	}
	p.roles[who] = r
	return nil
}

// read reads what follows the program's name.
func (m *move) read(words []string) error {
	cut := func(mark string) bool {
		n := len(words) - 1
		if n < 0 || words[n] != mark {
			return false
		}
		words = words[:n]
		return true
	}
	m.optional, m.joined, m.atOnce = cut("?"), cut("&"), cut("!")
	m.joined = m.joined || m.atOnce
	if n := len(words) - 2; n >= 0 && words[n] == "=" {
		if m.want = words[n+1]; !result.MatchString(m.want) {
			return errors.New("behind = stands a number, or an error such as EPIPE")
		}
		words = words[:n]
	}
	m.begins = cut("...")
	if n := len(words) - 2; n > 0 && words[n] == "on" && digits.MatchString(words[n+1]) {
		m.on, words = number(words[n+1]), words[:n]
	}
	if len(words) > 0 && words[0] == "..." {
		m.returns, words = true, words[1:]
	}
	if len(words) == 0 {
		return errors.New("it does not say what the " + m.who + " does")
	}
	m.verb, m.args = words[0], words[1:]
	return nil
}

// check reports why a move cannot be played, whatever the kernel answers.
func (p *parser) check(m *move) error {
	role, runs := p.roles[m.who]
	table := map[bool]map[string][]string{false: forms, true: networkForms}[m.who == network]
	follows, known := table[m.verb]
	waits := p.waits[m.who]
	switch {
	case m.isCall() && runs && (len(m.args) > 0 || m.on > 0):
		return fmt.Errorf("the %s runs %s, which decides itself what the call is given", m.who, map[bool]string{true: "get", false: "serve"}[role.Client])
	case !known && !(runs && m.isCall()):
		return fmt.Errorf("%s is none of %s", shortened(m.verb), names(table))
	case !m.isCall() && (m.begins || m.returns || m.want != "" || m.optional || m.on > 0):
		return errors.New("only a call has ..., = and ?, and is on a descriptor")
	case m.optional && !runs:
		return errors.New("only a program that runs serve or get may leave a call out (?)")
	case m.begins && !event.Named(m.verb).Waits:
		return errors.New(m.verb + " never waits")
	case m.begins && m.want != "":
		return errors.New("a call that waits has no result yet")
	case m.returns && (waits == nil || waits.verb != m.verb):
		return fmt.Errorf("no %s of the %s waits here", m.verb, m.who)
	case m.verb == "forks" && len(m.args) == 1 && p.acts(m.args[0]):
		return fmt.Errorf("the %s is there already", m.args[0])
	case m.verb == "forks" && len(m.args) == 1 && isA("NEW", m.args[0]) && !strings.HasPrefix(m.args[0], m.who[:len("server")]):
		return errors.New("a server forks a server, and a client a client")
	case p.unplugged[m.who] != nil && !m.returns && m.verb != "read" && m.verb != "is" && m.verb != "has" && m.verb != "interrupted":
		return errUnplugged
	case m.isCall() && !m.returns && waits != nil:
		return fmt.Errorf("the %s still waits in %s, by line %d", m.who, waits.verb, waits.line)
	}
	switch {
	case m.verb == "is" && len(m.args) > 0 && m.args[0] == "unplugged":
		p.unplugged[m.who] = m
	case m.verb == "is" && len(m.args) > 0 && m.args[0] == "plugged":
		delete(p.unplugged, m.who)
	case m.begins:
		p.waits[m.who] = m
	case m.returns || m.verb == "killed":
		delete(p.waits, m.who)
	}
	if m.returns || runs && m.isCall() {
		return nil
	}
	return m.checkArgs(follows)
}

// names are the keys of a table.
func names[V any](table map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}

// checkArgs reports why what follows a verb is none of some forms.
func (m *move) checkArgs(follows []string) error {
	if !slices.ContainsFunc(follows, func(form string) bool { return slices.EqualFunc(strings.Fields(form), m.args, isA) }) {
		list := strings.Join(follows, ", or ")
		if follows[0] == "" {
			list = "nothing" + list
		}
		if m.verb == "setsockopt" {
			list += "; the options are " + names(options)
		}
		return fmt.Errorf("behind %s stands %s", m.verb, strings.Replace(list, "NEW", "a new program, such as server2", 1))
	}
	const most = 100000 // bytes of a message, however short its line is
	switch {
	case m.verb == "write" && len(m.args) > 2 && (number(m.args[3]) > most || len(message(m.args)) != number(m.args[3])):
		return fmt.Errorf("a %s has %d to %d bytes", m.args[1], len(message([]string{"a", m.args[1], "of", "0"})), most)
	case m.verb == "read" && len(m.args) > 0 && number(m.args[2]) > len(puppet{}.buffer):
		return fmt.Errorf("a read is of up to %d bytes", len(puppet{}.buffer))
	}
	return nil
}

// end checks what can be checked only at the end.
func (p *parser) end() error {
	if len(p.moves) == 0 {
		return errors.New("there are no moves in it")
	}
	for i, m := range p.moves {
		if m.joined && i == len(p.moves)-1 {
			return atLine(m.line, m.text, errors.New("& and ! join a move to the next one, and there is none"))
		}
		if unplugged := p.unplugged[m.who]; unplugged != nil && unplugged.line == m.line {
			return atLine(m.line, m.text, errUnplugged)
		}
		if waits := p.waits[m.who]; waits != nil && waits.line == m.line {
			return atLine(m.line, m.text, fmt.Errorf("no line says that it returns: %s ... %s", m.who, m.verb))
		}
	}
	return nil
}
