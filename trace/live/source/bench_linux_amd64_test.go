package source_test

import (
	"strings"
	"testing"

	"lbaws/trace/live/source"
	"lbaws/trace/tracetest"
)

// BenchmarkCaller measures the look-up of a call: the first in a process, and the same again.
func BenchmarkCaller(b *testing.B) {
	tracetest.Need(b, "gcc", "gcc")
	for _, command := range []string{"gcc -g", "gcc -g -static", "go build"} {
		name := "server.c"
		if command == "go build" {
			name = "server.go.txt"
		}
		_, program := build(b, name, strings.Fields(command)...)
		var done bool
		follow(b, func(s stop) {
			var lines source.Lines
			if _, ok := lines.Caller(s.pid, s.registers, memory(s.pid)); !ok || done || s.name != "listen" {
				return
			}
			done = true
			b.Run(command+"/again", func(b *testing.B) {
				for b.Loop() {
					lines.Caller(s.pid, s.registers, memory(s.pid))
				}
			})
			b.Run(command+"/first", func(b *testing.B) {
				for b.Loop() {
					var lines source.Lines
					lines.Caller(s.pid, s.registers, memory(s.pid))
				}
			})
			b.Run(command+"/process", func(b *testing.B) {
				for b.Loop() {
					lines.Forget(s.pid)
					lines.Caller(s.pid, s.registers, memory(s.pid))
				}
			})
		}, program)
	}
}
