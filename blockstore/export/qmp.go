package export

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"karri/shared/id"
)

// monitor is a conversation with a storage daemon in QMP. A daemon talks with
// one at a time, so it is kept short.
type monitor struct {
	conn net.Conn
	dec  *json.Decoder
}

// talkTime bounds a conversation.
const talkTime = 10 * time.Second

// talk has a conversation with the daemon of a volume.
func (d *Daemons) talk(ctx context.Context, v id.Volume, do func(m *monitor) error) error {
	folder, err := os.Open(d.folder(v))
	if err != nil {
		return NotServed.Because(err)
	}
	defer folder.Close()
	var dialer net.Dialer
	ctx, cancel := context.WithTimeout(ctx, talkTime)
	defer cancel()
	// By the open folder, for its own path may be too long for a socket.
	conn, err := dialer.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), socket))
	if err != nil {
		return NotServed.Because(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	m := &monitor{conn, json.NewDecoder(conn)}
	var greeting struct{ QMP json.RawMessage }
	if err := m.dec.Decode(&greeting); err != nil || greeting.QMP == nil {
		return NotServed.Because(fmt.Errorf("no greeting: %w", err))
	}
	if err := m.run("qmp_capabilities", object{}, nil); err != nil {
		return err
	}
	return do(m)
}

// run runs one command and decodes what it returns.
func (m *monitor) run(command string, args object, answer any) error {
	if err := json.NewEncoder(m.conn).Encode(object{"execute": command, "arguments": args}); err != nil {
		return NotServed.Because(err)
	}
	for {
		var reply struct {
			Event  string
			Return json.RawMessage
			Error  *struct{ Class, Desc string }
		}
		if err := m.dec.Decode(&reply); err != nil {
			return NotServed.Because(fmt.Errorf("%s: %w", command, err))
		}
		switch {
		case reply.Event != "":
		case reply.Error != nil:
			return fmt.Errorf("%s: %s", command, reply.Error.Desc)
		case answer != nil:
			return json.Unmarshal(reply.Return, answer)
		default:
			return nil
		}
	}
}
