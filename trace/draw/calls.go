package draw

import "lbaws/trace"

// call is a system call that real programs make on sockets.
type call struct {
	name  string
	does  *trace.Call // what it does, as the server's and the client's calls do it; or itself
	entry int         // how many arguments strace writes when it begins; 0 is all
	list  bool        // whether it is about a list of descriptors
	note  string      // what it does, if the server and the client do not make it
}

// calls are those that are drawn, if they are about a TCP socket.
var calls = byName(map[string]call{
	"socket":      {does: trace.Named("socket")},
	"setsockopt":  {does: trace.Named("setsockopt")},
	"bind":        {does: trace.Named("bind")},
	"listen":      {does: trace.Named("listen")},
	"connect":     {does: trace.Named("connect")},
	"shutdown":    {does: trace.Named("shutdown")},
	"close":       {does: trace.Named("close")},
	"getsockname": {does: trace.Named("getsockname"), entry: 1},
	"accept":      {does: trace.Named("accept"), entry: 1},
	"accept4":     {does: trace.Named("accept"), entry: 1},
	"read":        {does: trace.Named("read"), entry: 1},
	"readv":       {does: trace.Named("read"), entry: 1},
	"recv":        {does: trace.Named("read"), entry: 1},
	"recvfrom":    {does: trace.Named("read"), entry: 1},
	"recvmsg":     {does: trace.Named("read"), entry: 1},
	"write":       {does: trace.Named("write")},
	"writev":      {does: trace.Named("write")},
	"send":        {does: trace.Named("write")},
	"sendto":      {does: trace.Named("write")},
	"sendmsg":     {does: trace.Named("write")},
	"sendfile":    {does: trace.Named("write")},
	"sendfile64":  {does: trace.Named("write")},

	"nanosleep": {does: trace.Named("nanosleep")}, // of this program's own traces

	"getsockopt":   {does: another("getsockopt"), entry: 3, note: "ask the kernel about the socket"},
	"getpeername":  {does: another("getpeername"), entry: 1},
	"dup":          {does: another("dup"), note: duplicates},
	"dup2":         {does: another("dup2"), note: duplicates},
	"dup3":         {does: another("dup3"), note: duplicates},
	"fcntl":        {does: another("fcntl")},
	"fcntl64":      {does: another("fcntl64")},
	"ioctl":        {does: another("ioctl")},
	"poll":         {does: waiting("poll"), list: true, note: waits},
	"ppoll":        {does: waiting("ppoll"), list: true, note: waits},
	"select":       {does: waiting("select"), list: true, note: waits},
	"_newselect":   {does: waiting("_newselect"), list: true, note: waits},
	"pselect6":     {does: waiting("pselect6"), list: true, note: waits},
	"epoll_ctl":    {does: another("epoll_ctl"), list: true, note: "let epoll_wait wait for this descriptor too"},
	"epoll_wait":   {does: waiting("epoll_wait"), entry: 1, note: waits},
	"epoll_pwait":  {does: waiting("epoll_pwait"), entry: 1, note: waits},
	"epoll_pwait2": {does: waiting("epoll_pwait2"), entry: 1, note: waits},
	"fork":         {does: another("fork"), note: inherits},
	"vfork":        {does: another("vfork"), note: inherits},
	"clone":        {does: another("clone"), note: inherits},
	"clone3":       {does: another("clone3"), note: inherits},
	"close_range":  {does: another("close_range")},
	"splice":       {does: waiting("splice")},
	"sendmmsg":     {does: waiting("sendmmsg")},
	"recvmmsg":     {does: waiting("recvmmsg"), entry: 1},
	"execve":       {does: another("execve")},
	"execveat":     {does: another("execveat")},
})

// byName gives the calls of a table their names.
func byName(table map[string]call) map[string]*call {
	calls := make(map[string]*call)
	for name, c := range table {
		c.name = name
		calls[name] = &c
	}
	return calls
}

// isOneRow reports whether a call is one row of the diagram, and not one when it begins
// and one when it returns.
func (c *call) isOneRow() bool { return !c.does.Waits || c.does.Name == "write" }

// What the calls do that the server and the client do not make.
const (
	waits      = "wait until one of these descriptors is ready: a call on it will return at once"
	inherits   = "a child, which has the same descriptors: each of them leads to the same socket"
	duplicates = "one more descriptor for the same socket"
)

// another is a call that the server and the client do not make.
func another(name string) *trace.Call { return &trace.Call{Name: name} }

// waiting is one that may wait for the peer.
func waiting(name string) *trace.Call { return &trace.Call{Name: name, Waits: true} }
