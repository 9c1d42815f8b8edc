package part

import (
	"errors"
	"slices"
	"strings"
)

// From says with which call the part begins that a person wants to see: the first whose name
// begins with one of these. None is all of the run.
type From []string

// Set sets the names: accept, or accept,connect.
func (f *From) Set(text string) error {
	*f = strings.Split(text, ",")
	for _, name := range *f {
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
			return errors.New("want the name of a call, such as accept, or several, as accept,connect")
		}
	}
	return nil
}

func (f *From) String() string { return strings.Join(*f, " or ") }

// Has reports whether the part begins with a call of some name: accept is accept4, too.
func (f From) Has(name string) bool {
	return slices.ContainsFunc(f, func(first string) bool { return strings.HasPrefix(name, first) })
}
