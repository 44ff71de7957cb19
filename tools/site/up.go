package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// How long a daemon may take until it is ready. The first start of libvirtd
// asks QEMU for all it can do.
const (
	daemonPatience = 30 * time.Second
	nodePatience   = 2 * time.Minute
)

// Up starts what does not run and returns when the cloud takes instances. It
// calls say with a line for each part that it starts.
func (s *Site) Up(ctx context.Context, say func(string)) error {
	if err := s.wire(ctx); err != nil {
		return err
	}
	for _, d := range s.control() {
		if err := s.start(ctx, d, say); err != nil {
			return err
		}
		if d.role == "cloudctl" {
			if err := s.credentials(ctx); err != nil {
				return err
			}
		}
	}
	for _, d := range s.nodes() {
		if err := s.start(ctx, d, say); err != nil {
			return err
		}
	}
	return s.waitNodes(ctx)
}

// start starts d, with a token if it has not joined, and waits until it is ready.
func (s *Site) start(ctx context.Context, d daemon, say func(string)) error {
	t := time.Now()
	_, ran := d.Running()
	if err := s.admit(ctx, d); err != nil {
		return err
	}
	if err := d.Start(); err != nil {
		return err
	}
	patience := daemonPatience
	if d.role == "nodectl" {
		patience = nodePatience
	}
	if !until(ctx, patience, func() bool { return s.ready(ctx, d) || !alive(d) }) || !alive(d) {
		return fmt.Errorf("%s is not ready:\n%s", d.Name, d.Tail(5))
	}
	if !ran {
		say(fmt.Sprintf("%-18s %6.1f s", d.Name, time.Since(t).Seconds()))
	}
	return nil
}

func alive(d daemon) bool { _, ok := d.Running(); return ok }

// ready asks the daemon itself, from where it runs.
func (s *Site) ready(ctx context.Context, d daemon) bool {
	args := d.host.Within(filepath.Join(s.Bin, "lab"), "ready", fmt.Sprintf("http://127.0.0.1:%d/readyz", d.admin))
	return run(ctx, args...) == nil
}

// admit gets a daemon that has not joined a token.
func (s *Site) admit(ctx context.Context, d daemon) error {
	if d.role == "cloudctl" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(d.state, "pki", "cert.pem")); err == nil {
		return nil
	}
	var token string
	var err error
	if d.role == "nodectl" {
		token, err = s.Karri(ctx, "token", "create", "--role", "nodectl", "--zone", s.Zone, "--name", d.Name, "--field", "Token")
	} else {
		token, err = output(ctx, s.Control().Within(filepath.Join(s.Bin, "cloudctl"), "join-token", "--state", s.path("cloudctl"), "--role", d.role, "--zone", s.Zone)...)
	}
	if err != nil {
		return fmt.Errorf("a token for %s: %w", d.Name, err)
	}
	if err := os.MkdirAll(s.path("run"), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(s.tokenFile(d.Name), []byte(token+"\n"), 0o600)
}

// credentials makes an administrator's key where admin.env is lost or new.
func (s *Site) credentials(ctx context.Context) error {
	if _, err := os.Stat(s.path("admin.env")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := output(ctx, s.Control().Within(filepath.Join(s.Bin, "cloudctl"), "root-key", "--state", s.path("cloudctl"))...)
	if err != nil {
		return fmt.Errorf("the administrator's key: %w", err)
	}
	var key struct{ AccessKeyID, SecretAccessKey string }
	if err := json.Unmarshal([]byte(out), &key); err != nil {
		return fmt.Errorf("the administrator's key: %w", err)
	}
	return s.WriteEnv(Credentials{key.AccessKeyID, key.SecretAccessKey})
}

// waitNodes returns when every node takes instances.
func (s *Site) waitNodes(ctx context.Context) error {
	var seen string
	ready := func() bool {
		out, err := s.Karri(ctx, "node", "describe", "--field", "State")
		seen = out
		return err == nil && strings.Count(out, "ready") >= len(s.NodeHosts())
	}
	if !until(ctx, nodePatience, ready) {
		return fmt.Errorf("the nodes are not ready, but %q; see karri explain NODE", strings.Fields(seen))
	}
	return nil
}

// Tools is the folder of karri and the aws wrapper of this site.
func (s *Site) Tools() string { return s.path("bin") }

// Karri runs the command line as the administrator and returns what it prints.
func (s *Site) Karri(ctx context.Context, args ...string) (string, error) {
	script := ". " + s.path("admin.env") + ` && exec "$@"`
	full := append([]string{"sh", "-c", script, "sh", filepath.Join(s.Bin, "karri")}, args...)
	return output(ctx, s.Control().Within(full...)...)
}

// TellTroubles writes the last troubles in each daemon's log to w.
func (s *Site) TellTroubles(w io.Writer, lines int) {
	for _, d := range s.daemons() {
		var troubles []string
		for line := range strings.Lines(d.Tail(5000)) {
			if !strings.Contains(line, `"level":"INFO"`) {
				troubles = append(troubles, line)
			}
		}
		fmt.Fprintf(w, "--- %s\n%s\n", d.Name, strings.Join(troubles[max(0, len(troubles)-lines):], ""))
	}
}

// Status tells what runs where, as a table for people.
func (s *Site) Status() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s %-8s %-28s %s\n", "daemon", "pid", "address", "log")
	for _, d := range s.daemons() {
		pid := "down"
		if n, ok := d.Running(); ok {
			pid = fmt.Sprint(n)
		}
		fmt.Fprintf(&b, "%-14s %-8s %-28s %s\n", d.Name, pid, fmt.Sprintf("%s:%d", d.host.Addr, s.Ports[d.role]), d.Log)
	}
	fmt.Fprintf(&b, "\nEC2, STS:         %s\nS3:               %s\nregion, zone:     %s, %s\npublic addresses: %s\nVXLAN port:       %d\nsettings:         %s\n",
		s.EC2URL(), s.S3URL(), s.Region, s.Zone, s.Public, s.VXLAN, s.path("admin.env"))
	return b.String()
}
