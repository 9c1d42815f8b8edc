package main

import (
	"os"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestRefusalOfLowPort runs without rights.
func TestRefusalOfLowPort(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil || strings.TrimSpace(string(text)) != "1024" {
		t.Skip("on this machine low ports are not for root alone")
	}
	p := tracetest.Launch(t, tracetest.Unprivileged(t), "-addr", ":1023", "-trace=off")
	tracetest.CheckRefusal(t, p, 1, "bind 0.0.0.0:1023: EACCES, permission denied; ports below 1024 need root")
}
