package trace

// Named returns the call with a name; or nil, if the server and the client do not make it.
func Named(name string) *Call {
	for _, call := range []*Call{socketCall, setsockoptCall, bindCall, listenCall, acceptCall, connectCall, readCall,
		writeCall, shutdownCall, nanosleepCall, getsocknameCall, closeCall} {
		if call.Name == name {
			return call
		}
	}
	return nil
}

// The calls. The parameters' names are those of the man pages, but for sockfd:
// a descriptor is fd everywhere.
var (
	socketCall = &Call{Name: "socket", Params: []Param{
		{"domain", Domain}, {"type", SocketType}, {"protocol", Protocol}}}
	setsockoptCall = &Call{Name: "setsockopt", Params: []Param{
		{"fd", Decimal}, {"level", Level}, {"optname", Option}, {"optval", IntPointer}, {"optlen", Decimal}}}
	bindCall = &Call{Name: "bind", Params: []Param{
		{"fd", Decimal}, {"addr", Address}, {"addrlen", Decimal}}}
	listenCall = &Call{Name: "listen", Params: []Param{
		{"fd", Decimal}, {"backlog", Decimal}}}
	acceptCall = &Call{Name: "accept", Waits: true, Params: []Param{
		{"fd", Decimal}, {"addr", PeerAddress}, {"addrlen", AddressRoom}}}
	connectCall = &Call{Name: "connect", Waits: true, Params: []Param{
		{"fd", Decimal}, {"addr", Address}, {"addrlen", Decimal}}}
	readCall = &Call{Name: "read", Waits: true, Params: []Param{
		{"fd", Decimal}, {"buf", Incoming}, {"count", Decimal}}}
	writeCall = &Call{Name: "write", Waits: true, Params: []Param{
		{"fd", Decimal}, {"buf", Outgoing}, {"count", Decimal}}}
	shutdownCall = &Call{Name: "shutdown", Params: []Param{
		{"fd", Decimal}, {"how", How}}}
	nanosleepCall = &Call{Name: "nanosleep", Params: []Param{
		{"duration", Duration}, {"rem", Null}}}
	getsocknameCall = &Call{Name: "getsockname", Params: []Param{
		{"fd", Decimal}, {"addr", PeerAddress}, {"addrlen", AddressRoom}}}
	closeCall = &Call{Name: "close", Params: []Param{
		{"fd", Decimal}}}
)
