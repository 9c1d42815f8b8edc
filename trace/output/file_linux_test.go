package output_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/output"
	"lbaws/trace/tracetest"
)

// write writes the text to a Stream's file, and closes it.
func write(t *testing.T, o *output.Stream, err error, text string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	o.Write([]byte(text))
	o.Close()
}

func checkText(t *testing.T, path, want string) {
	t.Helper()
	if got := tracetest.ReadFile(t, path); got != want {
		t.Errorf("%s has %.20q…, want %.20q…", path, got, want)
	}
}

// TestReplace: until the text is whole the old file is there, then the new one: behind a
// link, with the old one's permissions. Nothing else is in the folder.
func TestReplace(t *testing.T) {
	t.Parallel()
	fail := func(err error) { t.Error(err) }
	for _, c := range []struct {
		name, path string
		text       string
		prepare    func(folder string) error
	}{
		{"a new file", "file", "new", nil},
		{"a link to none", "link", "new", func(folder string) error { return os.Symlink("file", folder+"/link") }},
		{"a file", "file", "new", func(folder string) error { return os.WriteFile(folder+"/file", []byte("old"), 0o640) }},
		{"a long text", "file", strings.Repeat("long", 1<<19), func(folder string) error { return os.WriteFile(folder+"/file", []byte("old"), 0o640) }},
		{"behind a link", "link", "new", func(folder string) error {
			return errors.Join(os.WriteFile(folder+"/file", []byte("old"), 0o640), os.Symlink("file", folder+"/link"))
		}},
		{"no text", "file", "", func(folder string) error { return os.WriteFile(folder+"/file", []byte("old"), 0o640) }},
		{"beside what was left", "file", "new", func(folder string) error { return os.WriteFile(folder+"/file.new0", []byte("theirs"), 0o644) }},
		{"with another name", "file", "new", func(folder string) error {
			return errors.Join(os.WriteFile(folder+"/file", []byte("old"), 0o640), os.Link(folder+"/file", folder+"/hard"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			if c.prepare != nil {
				if err := c.prepare(folder); err != nil {
					t.Fatal(err)
				}
			}
			os.Chmod(folder+"/file", 0o662)
			before, _ := os.ReadDir(folder)
			old, existed := os.Stat(folder + "/file")
			discarded, err := output.Replace(filepath.Join(folder, c.path), fail)
			if err != nil {
				t.Fatal(err)
			}
			if c.name != "with another name" {
				discarded.Write(make([]byte, 2<<20))
			}
			discarded.Discard()
			if after, _ := os.ReadDir(folder); fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("files %v, before %v", after, before)
			}
			if existed == nil {
				checkText(t, folder+"/file", "old")
			}
			o, err := output.Replace(filepath.Join(folder, c.path), fail)
			write(t, o, err, c.text)
			checkText(t, folder+"/file", c.text)
			if now, err := os.Stat(folder + "/file"); existed == nil && (err != nil || now.Mode() != old.Mode()) {
				t.Errorf("mode %v, %v, before %v", now.Mode(), err, old.Mode())
			}
			switch after, _ := os.ReadDir(folder); {
			case existed == nil && len(after) != len(before), len(after) > len(before)+1:
				t.Errorf("files %v, before %v", after, before)
			case c.name == "with another name":
				checkText(t, folder+"/hard", c.text)
			case c.name == "beside what was left":
				checkText(t, folder+"/file.new0", "theirs")
			}
		})
	}
}

// TestReplaceNotPermitted: where no file can be made beside the old one, that is written; one
// that is not to be written is not replaced.
func TestReplaceNotPermitted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	os.Chmod(folder, 0o755)
	os.Chmod(filepath.Dir(folder), 0o755)
	recording := filepath.Join(folder, "recording")
	os.WriteFile(recording, []byte(recorded), 0o644)
	for name, mode := range map[string]os.FileMode{"file": 0o666, "readonly": 0o444} {
		os.WriteFile(filepath.Join(folder, name), []byte("old"), mode)
		os.Chmod(filepath.Join(folder, name), mode)
	}
	os.Chmod(folder, 0o555)
	draw := func(file string) *tracetest.Process {
		return tracetest.Launch(t, tracetest.Unprivileged(t), "draw", "-trace=off", "-svg", filepath.Join(folder, file), recording)
	}
	draw("file").Succeed()
	if got := tracetest.ReadFile(t, folder+"/file"); !strings.HasSuffix(got, "</svg>\n") {
		t.Errorf("file %q", got)
	}
	tracetest.CheckRefusal(t, draw("readonly"), 1, "open "+folder+"/readonly: EACCES")
	checkText(t, folder+"/readonly", "old")
	tracetest.CheckRefusal(t, draw("absent"), 1, "open "+folder+"/absent: EACCES")
}

// TestStartThatFails: if an output cannot be opened, the others are as they were.
func TestStartThatFails(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old := filepath.Join(folder, "old")
	os.WriteFile(old, []byte("old"), 0o644)
	for _, flags := range []string{"-o FOLDER/old -svg FOLDER/no/x", "-pcap FOLDER/old -o FOLDER/no/x", "-o FOLDER/absent -pcap FOLDER/no/x", "-o FOLDER/old -pcap FOLDER/absent -svg FOLDER/x/"} {
		args := strings.Fields(strings.ReplaceAll(flags, "FOLDER", folder))
		p := tracetest.Launch(t, nil, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
		tracetest.CheckRefusal(t, p, 1, "lbaws: open ")
		checkText(t, old, "old")
		if files, _ := os.ReadDir(folder); len(files) != 1 {
			t.Errorf("%s: files %v", flags, files)
		}
	}
}

// TestFullDisks draws onto disks of twenty sizes: each file is the old one, or the new one
// whole, one line says of each that it could not be written, and nothing else is there.
func TestFullDisks(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	folder := t.TempDir()
	recording, disk := filepath.Join(folder, "recording"), filepath.Join(folder, "disk")
	os.WriteFile(recording, []byte(strings.Repeat(recorded, 20)), 0o644)
	os.Mkdir(disk, 0o755)
	const script = `
lbaws=$1 recording=$2 disk=$3
draw() { $lbaws draw -o $1/o -svg $1/svg -html $1/html -pcap $1/pcap $recording; }
mkdir $disk-whole; draw $disk-whole || exit
pages=$(( ($(cat $disk-whole/* | wc -c) + 4*4096) / 4096 ))
for i in $(seq 1 20); do
	mount -t tmpfs -o size=$(( (5 + pages*(i-1)/17) * 4 ))k none $disk || exit 77
	for f in o svg html pcap; do echo old >$disk/$f; done
	draw $disk 2>$disk-lines; status=$?
	old=0 whole=0
	for f in o svg html pcap; do
		read -r first <$disk/$f
		if [ "$first" = old ]; then old=$((old+1)); elif cmp -s $disk/$f $disk-whole/$f; then whole=$((whole+1)); fi
	done
	echo $status $((old + whole)) $((old - $(grep -c '^lbaws: .*ENOSPC' $disk-lines))) $(ls -A $disk | wc -l) $old
	umount $disk
done`
	cmd := exec.Command(tracetest.Need(t, "unshare", "util-linux"), "-rm", "sh", "-c", script, "sh", tracetest.Binary(t), recording, disk)
	said, err := cmd.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	if err != nil || len(lines) != 20 {
		tracetest.Missing(t, fmt.Sprintf("no disk of any size can be mounted (%v, %s): run the test where unshare -rm may mount", err, said))
	}
	seen := make(map[string]bool)
	for i, line := range lines {
		var status, good, unsaid, files, old int
		fmt.Sscan(line, &status, &good, &unsaid, &files, &old)
		if good != 4 || unsaid != 0 || files != 4 || (status == 1) != (old > 0) {
			t.Errorf("disk %d: status %d, %d of 4 files are good, %d without a line, %d files", i+1, status, good, unsaid, files)
		}
		seen[fmt.Sprint(old)] = true
	}
	if !seen["0"] || !seen["4"] || len(seen) < 3 {
		t.Errorf("so many files were left as they were: %v", seen)
	}
}

// recorded is what strace has written of a server, with times.
const recorded = `100 1700000000.000001 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
100 1700000000.000100 bind(3, {sa_family=AF_INET, sin_port=htons(8888), sin_addr=inet_addr("0.0.0.0")}, 16) = 0
100 1700000000.000200 listen(3, 1) = 0
100 1700000000.000300 accept(3, {sa_family=AF_INET, sin_port=htons(50000), sin_addr=inet_addr("127.0.0.1")}, [16]) = 4
100 1700000000.200000 read(4, "GET /hello HTTP/1.1\r\n\r\n", 1024) = 23
100 1700000000.300000 write(4, "HTTP/1.1 200 OK\r\n\r\nHello, World!\n", 33) = 33
100 1700000000.400000 close(4) = 0
100 1700000000.500000 close(3) = 0
`

// TestNonRegular: what is no regular file is written as it is, and is still there.
func TestNonRegular(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		text, _ := os.ReadFile(pipe)
		read <- string(text)
	}()
	o, err := output.Replace(pipe, func(err error) { t.Error(err) })
	write(t, o, err, "text")
	if got := <-read; got != "text" {
		t.Errorf("read %q", got)
	}
	if info, err := os.Stat(pipe); err != nil || info.Mode().IsRegular() {
		t.Errorf("%v, %v", info, err)
	}
}

// TestOutputIsRecording: what is to be drawn is not written to, under whatever name.
func TestOutputIsRecording(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := errors.Join(os.WriteFile(file, []byte(recorded), 0o644), os.Link(file, folder+"/hard"), os.Symlink("file", folder+"/soft")); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"-o file file", "-svg ./file file", "-html hard file", "-pcap soft file", "-o file hard", "-o file - <file", "-trace json -o /dev/null -svg file file",
		"file >>file", "- <file >>file", "- <file >>hard", "soft 1<>file", "-trace=json -o absent -svg /dev/stdout file >>file", "-o absent -c - <file >>file",
	} {
		cmd := exec.Command("sh", "-c", `"$0" draw `+command, tracetest.Binary(t))
		cmd.Dir = folder
		said, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != 2 || strings.Count(string(said), "\n") != 1 || !strings.Contains(string(said), "choose another file for the output; see lbaws -h") {
			t.Errorf("draw %s: status %d: %s", command, status, said)
		}
		checkText(t, file, recorded)
	}
	if files, _ := os.ReadDir(folder); len(files) != 3 {
		t.Errorf("files %v", files)
	}
}
