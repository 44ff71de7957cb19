package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"karri/shared/sign"
)

// A target is an endpoint that somebody else runs.
type target struct{ side }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *target) UnmarshalText(b []byte) error {
	f := strings.Split(string(b), ",")
	if len(f) < 3 {
		return errors.New("an endpoint is URL,ACCESS-KEY,SECRET and the ids of its processes")
	}
	u, err := url.Parse(f[0])
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("%q is not the http URL of an endpoint", f[0])
	}
	t.side = side{name: u.Host, host: u.Host, keys: sign.Credentials{AccessKey: f[1], Secret: f[2]}}
	for _, text := range f[3:] {
		pid, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not the id of a process", text)
		}
		t.pids = append(t.pids, pid)
	}
	return nil
}

// credentials are those of what is started here.
var credentials = sign.Credentials{AccessKey: "AKIABENCHBENCHBENCH1", Secret: "bench/secret+01234567890123456789012345"}

// start starts what was asked for, in folders of dir.
func (b *bench) start(ctx context.Context, dir string) error {
	for _, t := range []*target{&b.A, &b.B} {
		if t.host != "" {
			b.sides = append(b.sides, &t.side)
		}
	}
	for _, kind := range []struct {
		asked bool
		start func(ctx context.Context, dir string) error
	}{{b.Walrus != "", b.startWalrus}, {b.Minio != "", b.startMinio}, {b.Plain, b.startPlain}} {
		if kind.asked {
			if err := kind.start(ctx, dir); err != nil {
				return err
			}
		}
	}
	if n := len(b.sides); n < 1 || n > 2 {
		return errors.New("name one or two of --a, --b, --walrus, --minio, --plain")
	}
	if b.Restart && b.again == nil {
		return errors.New("--restart needs --walrus")
	}
	for _, s := range b.sides {
		s.next, s.rate = map[string]int{}, map[string]float64{}
	}
	return nil
}

func (b *bench) stop() {
	for len(b.stops) > 0 {
		last := len(b.stops) - 1
		b.stops[last]()
		b.stops = b.stops[:last]
	}
}

// A process is a server that was started here.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// launch starts a server that listens on host and logs to a file, and waits
// until a request to path is answered.
func (b *bench) launch(ctx context.Context, log, host, path string, env []string, program string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(p.done)
	}()
	b.stops = append(b.stops, func() { p.end(syscall.SIGTERM) })
	for range 30_000 {
		if answers(ctx, "http://"+host+path) {
			return p, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.done:
			text, _ := os.ReadFile(log)
			return nil, fmt.Errorf("%s ended: %s", program, text)
		case <-time.After(time.Millisecond):
		}
	}
	return nil, fmt.Errorf("%s does not answer", program)
}

func answers(ctx context.Context, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode < 500
}

// end ends a process, at the latest after a while.
func (p *process) end(how syscall.Signal) {
	_ = p.cmd.Process.Signal(how) // it may have ended
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// freeHost returns a host:port that nobody listens on.
func freeHost() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

func (b *bench) startWalrus(ctx context.Context, dir string) error {
	cloud, err := b.startCloud(ctx, filepath.Join(dir, "cloud"))
	if err != nil {
		return err
	}
	host, err := freeHost()
	if err != nil {
		return err
	}
	state := filepath.Join(dir, "walrus")
	args := []string{"--state", state, "--public", host, "--join", cloud}
	for _, f := range b.WalrusFlags {
		args = append(args, "--"+f)
	}
	s := &side{name: "walrus", host: host, keys: credentials}
	var p *process
	launch := func() error {
		p, err = b.launch(ctx, filepath.Join(dir, "walrus.log"), host, "/", b.WalrusEnv, b.Walrus, args...)
		if err == nil {
			s.pids = []int{p.cmd.Process.Pid}
		}
		return err
	}
	b.again = func() error {
		p.end(syscall.SIGKILL)
		return launch()
	}
	b.sides = append(b.sides, s)
	return launch()
}

func (b *bench) startMinio(ctx context.Context, dir string) error {
	host, err := freeHost()
	if err != nil {
		return err
	}
	drive := filepath.Join(dir, "minio")
	env := []string{"MINIO_ROOT_USER=" + credentials.AccessKey, "MINIO_ROOT_PASSWORD=" + credentials.Secret, "MINIO_BROWSER=off", "MINIO_UPDATE=off"}
	p, err := b.launch(ctx, filepath.Join(dir, "minio.log"), host, "/minio/health/ready", env, b.Minio, "server", drive, "--address", host, "--quiet")
	if err != nil {
		return err
	}
	b.sides = append(b.sides, &side{name: "minio", host: host, keys: credentials, pids: []int{p.cmd.Process.Pid}})
	return nil
}

// restart kills walrus and times how long it is away. What is timed ends with
// a page of the listing, which the first answer alone would not prove.
func (b *bench) restart(ctx context.Context) error {
	var s *side
	for _, each := range b.sides {
		if each.name == "walrus" {
			s = each
		}
	}
	start := time.Now()
	if err := b.again(); err != nil {
		return err
	}
	w, err := s.worker(ctx)
	if err != nil {
		return err
	}
	defer w.conn.Close()
	page, err := first(b.Keys).shot(s, 0)
	if err == nil {
		_, err = w.conn.fire(page)
	}
	if err != nil {
		return err
	}
	b.startup = time.Since(start)
	return nil
}
