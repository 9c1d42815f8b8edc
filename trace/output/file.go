package output

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// file is the file that a Stream has for itself. Until the first text is written, what was
// there stays as it was.
type file struct {
	target   string      // its path, behind all links
	exists   bool        // whether it was there
	was      unix.Stat_t // and what it was
	replaces bool        // whether a new file is to take its place
	begun    bool        // whether text was written

	made atomic.Pointer[string] // the path of a file that Discard removes; nil if there is none
}

// Create opens the file at path, or makes it, and returns a Stream that holds text back
// until Flush. The file is written in place, so that it can be followed.
func Create(path string, report func(error)) (*Stream, error) {
	o, err := open(path, report)
	if err == unix.ENOENT {
		o.fd, err = unix.Open(o.file.target, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o666)
		o.file.made.Store(&o.file.target)
	}
	if err != nil {
		return nil, sys.Fail("open", path, err)
	}
	o.fd = process.MoveUp(o.fd)
	return o, nil
}

// Replace returns a Stream whose text replaces the file at path when it is whole: at Close.
// A long text is written to a file beside it before. The new file gets the owner and the
// permissions of the old one.
//
// Where no such file can be made (the folder is not writable, the owner is somebody else,
// the file has other names too), the file is written in place; and so is a pipe or a device.
func Replace(path string, report func(error)) (*Stream, error) {
	o, err := open(path, report)
	if err == unix.ENOENT {
		err = unix.Access(filepath.Dir(o.file.target), unix.W_OK|unix.X_OK)
	}
	if err != nil {
		return nil, sys.Fail("open", path, err)
	}
	if o.file.exists && !o.file.isRegular() {
		o.fd = process.MoveUp(o.fd)
		return o, nil
	}
	unix.Close(o.fd)
	o.fd, o.file.replaces = -1, true
	return o, nil
}

// open opens the file at path, if there is one. It returns the Stream in any case.
func open(path string, report func(error)) (*Stream, error) {
	f := &file{target: Target(path)}
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	switch {
	case err == nil:
		f.exists = true
		err = unix.Fstat(fd, &f.was)
	case err == unix.ENOENT && strings.HasSuffix(path, "/"):
		err = unix.EISDIR
	}
	return &Stream{fd: fd, name: path, Held: true, report: report, file: f}, err
}

func (f *file) isRegular() bool { return uint32(f.was.Mode)&unix.S_IFMT == unix.S_IFREG }

// begin prepares the file for its first text, and returns its descriptor. fd is the one that
// it has, if it is open.
func (f *file) begin(fd int) (int, error) {
	if f.begun {
		return fd, nil
	}
	f.begun = true
	if f.replaces {
		fd, err := f.makeNew()
		inPlace := []error{unix.EACCES, unix.EPERM, unix.ENAMETOOLONG, unix.ENOENT} // ENOENT: in /proc
		if !f.exists || !slices.Contains(inPlace, err) {
			return fd, err
		}
		if fd, err = unix.Open(f.target, unix.O_WRONLY|unix.O_TRUNC|unix.O_CLOEXEC, 0); err == nil {
			fd = process.MoveUp(fd)
		}
		return fd, err
	}
	f.made.Store(nil)
	if f.exists && f.isRegular() {
		return fd, unix.Ftruncate(fd, 0)
	}
	return fd, nil
}

// makeNew makes the file that is to take the place of the old one. The error is EPERM if it
// would not be its like.
func (f *file) makeNew() (fd int, err error) {
	mode := uint32(0o666)
	if f.exists {
		mode = uint32(f.was.Mode) & 0o7777
	}
	if f.exists && f.was.Nlink > 1 {
		return -1, unix.EPERM
	}
	const tries = 100 // names that a program that was killed may have left
	for i := range tries {
		name := fmt.Sprintf("%s.new%d", f.target, i)
		fd, err = unix.Open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, mode&0o777)
		if err == nil {
			f.made.Store(&name)
		}
		if err != unix.EEXIST {
			break
		}
	}
	if err != nil {
		return -1, err
	}
	fd = process.MoveUp(fd)
	if f.exists && (unix.Fchown(fd, int(f.was.Uid), int(f.was.Gid)) != nil || unix.Fchmod(fd, mode) != nil) {
		unix.Close(fd)
		f.discard()
		return -1, unix.EPERM
	}
	return fd, nil
}

// end puts the new file, which is whole and closed, in the place of the old one.
func (f *file) end() error {
	made := f.made.Swap(nil)
	if made == nil {
		return nil
	}
	err := unix.Rename(*made, f.target)
	if err != nil {
		unix.Unlink(*made)
	}
	return err
}

// discard removes the new file, or the one that was made for a text that has not come.
func (f *file) discard() {
	if made := f.made.Swap(nil); made != nil {
		unix.Unlink(*made)
	}
}

// Target returns the path of the file that opening path opens or creates, behind all
// symbolic links: except those in /proc, such as /dev/stdout, which lead to a file that is
// open, and that may have no name any more. What .. means may depend on a link before it. A
// path that begins in the working directory still does: others lead there only if all folders
// above it may be searched.
func Target(path string) string {
	const most = 40 // links, as the kernel follows
	for range most {
		folder, name := filepath.Split(path)
		folder = cmp.Or(folder, ".")
		if real, err := filepath.EvalSymlinks(folder); err == nil {
			folder = real
		}
		path = filepath.Join(folder, name)
		target, err := os.Readlink(path)
		if err != nil || strings.HasPrefix(path, "/proc/") {
			break
		}
		if !filepath.IsAbs(target) {
			target = folder + "/" + target
		}
		path = target
	}
	return path
}
