// A server and its client in one process. A comment says which calls a line makes.
package main

import (
	"io"
	"net"
	"os"
	"syscall"
)

func main() {
	raw()
	listener, err := net.Listen("tcp4", "127.0.0.1:0") // socket bind listen read close
	if err != nil {
		panic(err)
	}
	client, err := net.Dial("tcp4", listener.Addr().String()) // socket connect
	if err != nil {
		panic(err)
	}
	server, err := listener.Accept() // accept4
	if err != nil {
		panic(err)
	}
	io.WriteString(server, "HTTP/1.1 200 OK\n\n") // write
	server.Close()                                // close
	io.ReadAll(client)                            // read
	func() {
		defer listener.Close() // close
		client.Close()         // close
	}()
	os.Stderr.WriteString("done\n") // write
}

func raw() {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0) // socket
	if err != nil {
		panic(err)
	}
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}) // bind
	if err != nil {
		panic(err)
	}
	err = syscall.Listen(fd, 1) // listen
	if err != nil {
		panic(err)
	}
	defer syscall.Close(fd) // close
}
