package export

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"karri/blockstore/volume"
	"karri/shared/crash"
	"karri/shared/id"
	"karri/shared/pki"
)

// Daemons is the Exporter that runs qemu-storage-daemon.
type Daemons struct {
	Dir         string // a folder for each served volume: pid file, QMP socket
	Listen      string // address to serve on
	First, Last int    // ports
	Users       volume.Users
	Credentials func() *pki.Credentials
	Direct      bool // past the page cache; see CanDirect
}

var _ Exporter = (*Daemons)(nil)

const program = "qemu-storage-daemon"

// startTime bounds the start of a daemon; endTime is how long one may take to
// end by itself before it is killed.
const (
	startTime = 20 * time.Second
	endTime   = 3 * time.Second
)

// OpenDaemons returns the exporter over a folder, which it makes. The daemons
// that run are left alone.
func OpenDaemons(dir string) (*Daemons, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	return &Daemons{Dir: dir, Listen: "127.0.0.1", First: 10809, Last: 11808}, nil
}

// CanDirect tells whether files in a folder can be opened past the page cache.
func CanDirect(dir string) bool {
	f, err := os.CreateTemp(dir, ".tmp-direct-*")
	if err != nil {
		return false
	}
	defer os.Remove(f.Name())
	defer f.Close()
	d, err := os.OpenFile(f.Name(), os.O_RDWR|unix.O_DIRECT, 0)
	if err != nil {
		return false
	}
	return d.Close() == nil
}

func (d *Daemons) folder(v id.Volume) string  { return filepath.Join(d.Dir, string(v)) }
func (d *Daemons) pidFile(v id.Volume) string { return filepath.Join(d.folder(v), "pid") }

// socket is the name of the QMP socket within the folder. The daemon gets it
// so, relative, because the path of a socket is at most 107 bytes long.
const socket = "qmp"

// Served implements Exporter.
func (d *Daemons) Served(_ context.Context, v id.Volume) (uint64, error) {
	found, err := d.find(v)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	defer closeAll(found)
	return found[0].epoch, nil
}

// Serve implements Exporter.
func (d *Daemons) Serve(ctx context.Context, t Ticket, layers []volume.Layer) error {
	switch epoch, err := d.Served(ctx, t.Volume); {
	case err != nil:
		return err
	case epoch == t.Epoch:
		return nil
	case epoch != 0:
		return Busy
	}
	if len(layers) == 0 {
		return volume.Missing
	}
	if err := os.MkdirAll(d.folder(t.Volume), 0o700); err != nil {
		return err
	}
	if err := d.own(t.Volume, layers); err != nil {
		return err
	}
	if err := d.credentials(t); err != nil {
		return err
	}
	args, err := d.args(t, layers)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = d.folder(t.Volume)
	if user := d.Users.Of(t.Volume); user >= 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
	}
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("start %s: %w: %s", program, err, strings.TrimSpace(trouble.String()))
	}
	crash.Here("blockstore.export.started")
	return nil
}

// own gives a volume's user the folder of its daemon and the layers that it
// opens, which may be from a time when it ran as another.
func (d *Daemons) own(v id.Volume, layers []volume.Layer) error {
	user := d.Users.Of(v)
	if user < 0 {
		return nil
	}
	err := os.Chown(d.folder(v), user, user)
	for _, l := range layers {
		err = errors.Join(err, os.Chown(l.Path, user, user))
	}
	return err
}

func (d *Daemons) tls(v id.Volume) string { return filepath.Join(d.folder(v), "tls") }

// credentials writes what a ticket's daemon shows and whom it believes.
func (d *Daemons) credentials(t Ticket) error {
	user := d.Users.Of(t.Volume)
	if err := d.Credentials().QEMU(d.tls(t.Volume), "server", user, user); err != nil {
		return err
	}
	if t.Authority == "" {
		return nil
	}
	files := map[string][]byte{}
	for block, rest := pem.Decode([]byte(t.Authority)); block != nil; block, rest = pem.Decode(rest) {
		name := "ca-cert.pem"
		if block.Type == pki.Revocations {
			name = "ca-crl.pem"
		}
		files[name] = append(files[name], pem.EncodeToMemory(block)...)
	}
	for name, text := range files {
		path := filepath.Join(d.tls(t.Volume), name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
		if user >= 0 {
			if err := os.Chown(path, user, user); err != nil {
				return err
			}
		}
	}
	return nil
}

// object is a QMP or command line object.
type object = map[string]any

// args is the command line of a ticket's daemon. The daemon lets go of us by
// itself (--daemonize) when it listens.
func (d *Daemons) args(t Ticket, layers []volume.Layer) ([]string, error) {
	server := object{"addr": object{"type": "inet", "host": d.Listen, "port": strconv.Itoa(t.Port)},
		"tls-creds": "tls0", "tls-authz": "node"}
	args := []string{"--daemonize", "--pidfile", d.pidFile(t.Volume),
		"--chardev", "socket,id=c0,server=on,wait=off,path=" + socket, "--monitor", "chardev=c0"}
	add := func(flag string, o object) error {
		text, err := json.Marshal(o)
		args = append(args, flag, string(text))
		return err
	}
	// QEMU's own check of the server's certificate would ask that the authority
	// of the nodes has issued that one too.
	err := errors.Join(
		add("--object", object{"qom-type": "tls-creds-x509", "id": "tls0", "dir": d.tls(t.Volume), "endpoint": "server",
			"verify-peer": true, "sanity-check": t.Authority == "", "priority": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}),
		add("--object", object{"qom-type": "authz-simple", "id": "node", "identity": "CN=" + t.Peer}))
	for i, l := range layers {
		err = errors.Join(err, add("--blockdev", d.fileNode(l)), add("--blockdev", d.layerNode(l, layers[:i], i < len(layers)-1)))
	}
	top := layers[len(layers)-1]
	return args, errors.Join(err, add("--nbd-server", server),
		add("--export", object{"type": "nbd", "id": exportID, "node-name": node(top), "name": t.Name(), "writable": true}))
}

const exportID = "e0"

func node(l volume.Layer) string { return "l" + strconv.Itoa(l.Number) }

func (d *Daemons) fileNode(l volume.Layer) object {
	return object{"driver": "file", "node-name": "f" + strconv.Itoa(l.Number), "filename": l.Path,
		"auto-read-only": true, "discard": "unmap", "cache": object{"direct": d.Direct}}
}

// layerNode opens a layer on those below it, every format given, no header believed.
func (d *Daemons) layerNode(l volume.Layer, below []volume.Layer, readOnly bool) object {
	o := object{"driver": l.Format, "node-name": node(l), "file": "f" + strconv.Itoa(l.Number),
		"read-only": readOnly, "discard": "unmap", "cache": object{"direct": d.Direct}}
	if l.Format == "qcow2" {
		o["backing"] = nil
		if len(below) > 0 {
			o["backing"] = node(below[len(below)-1])
		}
	}
	return o
}

// End implements Exporter.
func (d *Daemons) End(ctx context.Context, v id.Volume) error {
	// The pid file may be missing and there may be two in a moment of a crash:
	// the fence looks at every process.
	found, err := d.scan(v)
	if err != nil {
		return err
	}
	defer closeAll(found)
	for _, p := range found {
		if err := p.end(ctx); err != nil {
			return fmt.Errorf("end the storage daemon %d of %s: %w", p.pid, v, err)
		}
	}
	crash.Here("blockstore.export.ended")
	return os.RemoveAll(d.folder(v))
}

// FreePort implements Exporter.
func (d *Daemons) FreePort(taken map[int]bool) (int, error) {
	for port := d.First; port <= d.Last; port++ {
		if taken[port] {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(d.Listen, strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		return port, nil
	}
	return 0, NoPort
}

// Volumes implements Exporter: a daemon's folder is made before it and goes
// after it.
func (d *Daemons) Volumes(context.Context) ([]id.Volume, error) {
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		return nil, err
	}
	var all []id.Volume
	for _, e := range entries {
		if id.Valid[id.Volume](e.Name()) {
			all = append(all, id.Volume(e.Name()))
		}
	}
	return all, nil
}
