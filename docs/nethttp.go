//go:build ignore

// The tutorial's server on net/http, for docs/strace.md: go run docs/nethttp.go
package main

import (
	"fmt"
	"net/http"
)

func main() {
	fmt.Println("Serving HTTP on port 8888 ...")
	err := http.ListenAndServe("127.0.0.1:8888", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Hello, World!")
	}))
	fmt.Println(err)
}
