//go:build ignore

// Keep the runtime from opening files: the listening socket is to be descriptor 3.
//
//go:debug containermaxprocs=0

// The tutorial's server, bare: go run docs/webserver1.go. (docs/draw.md says what it needs
// in a folder of its own.)
package main

import (
	"fmt"
	"log"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() { runtime.LockOSThread() } // strace without -f follows the first thread alone

func main() {
	listenSocket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	check("socket", err)
	check("setsockopt", unix.SetsockoptInt(listenSocket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	check("bind", unix.Bind(listenSocket, &unix.SockaddrInet4{Port: 8888}))
	check("listen", unix.Listen(listenSocket, 1))
	fmt.Println("Serving HTTP on port 8888 ...")

	for {
		clientConnection := accept(listenSocket)
		request := make([]byte, 1024)
		n, err := unix.Read(clientConnection, request)
		check("read", err)
		fmt.Println(string(request[:n]))
		_, err = unix.Write(clientConnection, []byte("HTTP/1.1 200 OK\r\n\r\nHello, World!\n"))
		check("write", err)
		check("close", unix.Close(clientConnection))
	}
}

// accept makes accept(2). unix.Accept would make accept4 and getsockopt.
func accept(socket int) int {
	var client unix.RawSockaddrAny
	size := uint32(unix.SizeofSockaddrAny)
	fd, _, errno := unix.Syscall(unix.SYS_ACCEPT, uintptr(socket), uintptr(unsafe.Pointer(&client)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		log.Fatalf("accept: %v", errno)
	}
	return int(fd)
}

func check(call string, err error) {
	if err != nil {
		log.Fatalf("%s: %v", call, err)
	}
}
