package ask

import (
	"net/netip"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/predict"
	"lbaws/trace/wire"
)

// Outcome is what a call has returned, without what it has sent.
func Outcome(returned *event.Event) predict.Outcome {
	if returned.Failed() {
		return predict.Outcome{Errno: returned.Errno}
	}
	return predict.Outcome{Result: returned.Result}
}

// Sent is what a call has made the kernel send before it returned, of the segments that have
// passed since it began: of a close or a shutdown, the first FIN or RST. It is Unseen of other
// calls. local and remote are the ends of the call's connection; a listening socket has none
// that is remote.
func Sent(does event.Effect, local, remote netip.AddrPort, passed []wire.Segment, returned time.Time) predict.Sent {
	if does != event.Writes && does != event.ShutsDown && does != event.Closes {
		return predict.Unseen
	}
	what := predict.Nothing
	for i := range passed {
		s := &passed[i]
		own := s.From == local && s.To == remote || remote.Port() == 0 && s.From.Port() == local.Port()
		switch {
		case own && s.Time.After(returned): // by another call, or by the kernel in answer to the peer
		case does == event.Writes && own && s.Len > 0 && what == predict.Nothing:
			what = predict.Data
		case does == event.Writes && s.To == local && s.From == remote && s.Flags&wire.RST != 0 && what == predict.Data:
			what = predict.DataForRST
		case does == event.Writes || !own:
		case s.Flags&wire.RST != 0:
			return predict.RST
		case s.Flags&wire.FIN != 0:
			return predict.FIN
		}
	}
	return what
}
