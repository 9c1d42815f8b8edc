package tracetest

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Need returns the path of a tool. On a user's machine a test whose tool is
// missing is skipped; in CI it fails.
func Need(t testing.TB, tool, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		Missing(t, tool+" is not installed: apt-get install "+debianPackage)
	}
	return path
}

// Python returns the path of Python itself: python3 may be a script that looks for it, and
// makes thousands of calls.
func Python(t testing.TB) string {
	t.Helper()
	Need(t, "python3", "python3")
	path, err := python()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var python = sync.OnceValues(func() (string, error) {
	output, err := exec.Command("python3", "-ISc", "import sys; print(sys.executable)").Output()
	return strings.TrimSpace(string(output)), err
})

// Missing skips the test, or fails it in CI: something that it needs is missing.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Long skips a test that takes long where the user has asked for short ones.
func Long(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long")
	}
}

// NeedCapture skips the test where segments cannot be captured; in CI it fails.
func NeedCapture(t testing.TB) {
	t.Helper()
	listen(t, 1).Close()
}

// listen begins a capture, or skips the test; in CI it fails.
func listen(t testing.TB, port uint16) *Wire {
	t.Helper()
	w, err := Listen(port)
	if err != nil {
		Missing(t, fmt.Sprintf("segments cannot be captured (%v): run the test as root on Linux", err))
	}
	return w
}

// Unprivileged is what comes before a command that is to run as an ordinary user,
// without any rights over the network. A test that is root in a user namespace,
// where there is no other user, puts the command in another one.
func Unprivileged(t testing.TB) []string {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	if users, err := os.ReadFile("/proc/self/uid_map"); err == nil && !strings.HasSuffix(strings.TrimSpace(string(users)), " 4294967295") {
		return []string{Need(t, "unshare", "util-linux"), "--user", "--map-user=65534", "--map-group=65534"}
	}
	return []string{Need(t, "setpriv", "util-linux"), "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"}
}

// HasOwnNetwork reports whether an ordinary user, whose commands begin with wrap, may have
// a network namespace, and rights in it. Some systems give the one without the other.
func HasOwnNetwork(wrap []string) bool {
	command := slices.Concat(wrap, []string{"unshare", "--net", "--user", "--map-root-user", "ip", "link", "set", "lo", "up"})
	return exec.Command(command[0], command[1:]...).Run() == nil
}

// NeedMapped skips the test where sockets of IPv6 take no IPv4 client; in CI it fails.
func NeedMapped(t testing.TB) {
	t.Helper()
	if text, err := os.ReadFile("/proc/sys/net/ipv6/bindv6only"); err == nil && strings.TrimSpace(string(text)) == "1" {
		Missing(t, "IPv6 sockets take no IPv4 client here: sysctl net.ipv6.bindv6only=0")
	}
}

// ListenOnWire begins a capture of the test's own. Where segments cannot be
// captured, the test is skipped; in CI it fails.
func ListenOnWire(t testing.TB, port string) *Wire {
	t.Helper()
	number, _ := strconv.Atoi(port)
	w := listen(t, uint16(number))
	t.Cleanup(w.Close)
	return w
}
