package export

import (
	"strings"
	"testing"
)

const (
	pidFile = "/var/lib/karri/exports/vol-0123456789abcdef0/pid"
	cmd     = "/usr/bin/qemu-storage-daemon\x00--daemonize\x00--pidfile\x00" + pidFile + "\x00--export\x00" +
		`{"id":"e0","name":"vol-0123456789abcdef0/12","type":"nbd"}` + "\x00"
)

func TestCommandLinesThatAreNotOurs(t *testing.T) {
	if epoch, ok := parseCommand([]byte(cmd), pidFile, "vol-0123456789abcdef0"); !ok || epoch != 12 {
		t.Fatalf("epoch %d, %v", epoch, ok)
	}
	for what, text := range map[string]string{
		"empty":           "",
		"another program": strings.Replace(cmd, "storage-daemon", "nbd", 1),
		"another folder":  strings.Replace(cmd, "/var/lib", "/var/lub", 1),
		"another volume":  strings.Replace(cmd, `"name":"vol-0`, `"name":"vol-1`, 1),
		"no epoch":        strings.Replace(cmd, `/12"`, `/"`, 1),
		"epoch 0":         strings.Replace(cmd, `/12"`, `/0"`, 1),
		"an editor":       "vi\x00" + cmd,
		"cut off":         cmd[:len(cmd)-8],
	} {
		if epoch, ok := parseCommand([]byte(text), pidFile, "vol-0123456789abcdef0"); ok {
			t.Errorf("%s: epoch %d", what, epoch)
		}
	}
}
