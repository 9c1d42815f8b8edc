package sys

import (
	"errors"
	"strconv"
)

// IntFlag returns a function for flag.Func that sets *n to the flag's value: a number
// from 0 to the largest int in C.
func IntFlag(n *int) func(string) error {
	return func(value string) error {
		u, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return errors.New("want a number from 0 to 2147483647")
		}
		*n = int(u)
		return nil
	}
}
