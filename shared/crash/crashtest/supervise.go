package crashtest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
)

// Supervise keeps a daemon running as a process until the test ends: the test's
// own program, started with the variable mark set, by which its TestMain knows
// that it is to be the daemon. First it runs so that it ends at the crash point
// at, then as it is; any other end fails the test. The channel is closed when
// it ended at the point.
func Supervise(t testing.TB, mark, at string, args ...string) <-chan struct{} {
	t.Helper()
	crashed, done := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			var log bytes.Buffer
			cmd := exec.CommandContext(ctx, os.Args[0], args...)
			cmd.Env = append(os.Environ(), mark+"=1", "KARRI_CRASH_AT="+at)
			cmd.Stderr = &log
			err := cmd.Run()
			switch code := cmd.ProcessState.ExitCode(); {
			case ctx.Err() != nil:
			case code == 137 && at != "":
				at = ""
				close(crashed)
			default:
				t.Errorf("the daemon ended with %v\n%s", err, log.String())
				return
			}
		}
	}()
	return crashed
}
