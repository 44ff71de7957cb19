// Package pgtest runs a PostgreSQL server of a test's own, on a socket in a
// temporary folder, with the programs of the Debian package postgresql.
package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Server is a server that runs until the test ends.
type Server struct {
	dir, bin string
	as       *syscall.SysProcAttr
	cmd      *exec.Cmd
	fresh    atomic.Int32
}

// Start makes a server and starts it.
func Start(t testing.TB) *Server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Fatal("there is no PostgreSQL: apt-get install postgresql")
	}
	dir, err := os.MkdirTemp("", "karri-pg")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{dir: dir, bin: filepath.Dir(found[len(found)-1]), as: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	if os.Geteuid() == 0 { // it refuses to run as root
		s.become(t, "postgres")
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.run(t, "initdb", "-D", filepath.Join(dir, "data"), "-A", "trust", "-U", "walrus", "-N", "--locale=C", "-E", "UTF8")
	s.Up(t)
	t.Cleanup(s.Kill)
	return s
}

func (s *Server) become(t testing.TB, name string) {
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	s.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(s.dir, uid, gid); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir, c.SysProcAttr = s.dir, s.as
	return c
}

func (s *Server) run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Up starts the server, again after Kill, and waits until it answers.
func (s *Server) Up(t testing.TB) {
	t.Helper()
	for i := range 1000 {
		if i%100 == 0 { // what was started by one that was killed may stand in the way for a moment
			s.Kill()
			s.cmd = s.command("postgres", "-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-h", "", "-c", "max_connections=200", "-c", "shared_buffers=32MB")
			if err := s.cmd.Start(); err != nil {
				t.Fatal(err)
			}
		}
		if s.command("pg_isready", "-q", "-h", s.dir).Run() == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("PostgreSQL does not answer")
}

// Kill ends the server as kill -9 does, and what it started with it.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// SQL has the server do something.
func (s *Server) SQL(t testing.TB, text string) {
	t.Helper()
	s.run(t, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", s.dir, "-U", "walrus", "-d", "postgres", "-c", text)
}

// Address returns the address of a place in which there is nothing yet.
func (s *Server) Address(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("fresh%d", s.fresh.Add(1))
	s.SQL(t, "create schema "+name)
	return fmt.Sprintf("postgres://walrus@/postgres?host=%s&search_path=%s", s.dir, name)
}
