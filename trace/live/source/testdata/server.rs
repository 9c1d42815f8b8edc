// A server and its client in one process. A comment says which calls a line makes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

#[inline(never)]
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\n\n")?; // sendto
    Ok(())
} // close

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?; // socket bind listen
    let address = listener.local_addr()?;
    let mut client = TcpStream::connect(address)?; // socket connect
    let (stream, _) = listener.accept()?; // accept4
    answer(stream)?;
    let mut text = [0; 64];
    let n = client.read(&mut text)?; // recvfrom
    assert!(n == 17);
    drop(client); // close
    drop(listener); // close
    Ok(())
}
