package local

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"karri/cloudctl/vault"
	"karri/shared/crash/crashtest"
)

const childMark = "KARRI_TEST_LOCAL"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		status, _ := Main(os.Args[1:])
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// The command ends between any two durable writes: all secrets open, and the
// next run finishes.
func TestRotationEndsAtEachNamedPoint(t *testing.T) {
	points := crashtest.Points(t, ".")
	if len(points) < 3 {
		t.Fatal(points)
	}
	for _, at := range points {
		dir := t.TempDir()
		b, err := OpenBook(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		key, err := b.RootKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		run := func(at string) error {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "rotate-master-key", "--drop-old", "--state", dir)
			cmd.Env = append(os.Environ(), childMark+"=1", "KARRI_CRASH_AT="+at)
			return cmd.Run()
		}
		if exit, ok := errors.AsType[*exec.ExitError](run(at)); !ok || exit.ExitCode() != 137 {
			t.Fatalf("%s is not passed", at)
		}
		for _, step := range []string{"after the crash", "in the end"} {
			again, err := vault.Open(MasterKeyFile(dir))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []*vault.Vault{b.Vault, again} {
				if got, err := v.Unseal(key.AccessKey, sealed(t, b.Store, key.AccessKey)); err != nil || got != key.Secret {
					t.Fatalf("%s, %s: %v", at, step, err)
				}
			}
			if step == "in the end" && len(again.Older()) != 0 {
				t.Errorf("%s: there are older keys until %v", at, again.Older())
			}
			if err := run(""); err != nil {
				t.Fatal(err)
			}
		}
		b.Store.Close()
	}
}
