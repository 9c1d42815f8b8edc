package source

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Sources have such names, and are no longer than this.
var extensions = []string{".c", ".cc", ".cpp", ".cxx", ".C", ".h", ".hh", ".hpp", ".hxx", ".go", ".rs", ".s", ".S"}

const longestText = 4 << 20

// Text returns the text of a source file, or an error. The name is the program's own: a file
// that is not named as a source is, that is not a regular file, or that is longer than a
// person writes, is not read.
func Text(file string) (string, error) {
	if !filepath.IsAbs(file) || !slices.Contains(extensions, filepath.Ext(file)) {
		return "", &os.PathError{Op: "read", Path: file, Err: os.ErrInvalid}
	}
	// A pipe without a writer would keep open waiting.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > longestText {
		return "", &os.PathError{Op: "read", Path: file, Err: os.ErrInvalid}
	}
	text, err := io.ReadAll(io.LimitReader(f, longestText))
	return string(text), err
}
