package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestBuildHasNoPackageNet: the program is written on the system calls, and
// golang.org/x/sys is the only module that it needs.
func TestBuildHasNoPackageNet(t *testing.T) {
	t.Parallel()
	output, err := exec.Command("go", "list", "-deps", "lbaws").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(output), "lbaws/sys\n") {
		t.Errorf("the build is not the program's: %s", output)
	}
	for dependency := range strings.Lines(string(output)) {
		if dependency == "net\n" {
			t.Error("package net is in the build")
		}
	}
	output, err = exec.Command("go", "list", "-m", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := regexp.MustCompile(`^lbaws\ngolang.org/x/sys v\S+\n$`); !want.Match(output) {
		t.Errorf("the modules are\n%s", output)
	}
}

// TestCopiedServer: webserver1.go runs in an empty folder, after the commands that the page
// says. Nothing is fetched: the module comes from this machine's cache.
func TestCopiedServer(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	commands := regexp.MustCompile("`(go (?:mod|get|run) [^`]*)`").FindAllStringSubmatch(tracetest.ReadFile(t, "draw.md"), -1)
	if len(commands) != 3 {
		t.Fatalf("the page says %q", commands)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "webserver1.go"), []byte(tracetest.ReadFile(t, "webserver1.go")), 0o666); err != nil {
		t.Fatal(err)
	}
	proxy := proxyOfOneModule(t)
	for _, c := range commands {
		command := strings.Fields(strings.Replace(c[1], "go run ", "go build -o out ", 1)) // port 8888 is another test's
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOPROXY=file://"+proxy, "GOSUMDB=off", "GOFLAGS=", "GOTOOLCHAIN=local")
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, output)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err != nil {
		t.Error(err)
	}
}

// proxyOfOneModule makes a folder that is a module proxy for the one module of go.mod.
func proxyOfOneModule(t *testing.T) string {
	t.Helper()
	const name = "golang.org/x/sys"
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", name).Output()
	version, inCache, _ := strings.Cut(strings.TrimSpace(string(output)), " ")
	if err != nil {
		t.Fatal(err)
	}
	proxy := t.TempDir()
	from := filepath.Join(strings.TrimSuffix(inCache, name+"@"+version), "cache/download", name, "@v")
	to := filepath.Join(proxy, name, "@v")
	if err := os.MkdirAll(to, 0o777); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"list":            version + "\n",
		version + ".info": `{"Version":"` + version + `"}`,
		version + ".mod":  tracetest.ReadFile(t, filepath.Join(from, version+".mod")),
		version + ".zip":  tracetest.ReadFile(t, filepath.Join(from, version+".zip")),
	} {
		if err := os.WriteFile(filepath.Join(to, file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return proxy
}
