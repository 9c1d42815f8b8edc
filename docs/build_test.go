package docs_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
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
