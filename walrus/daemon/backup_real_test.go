//go:build real

package daemon_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/walrus/daemon/walrustest"
)

// tree makes a folder of files as people have them: empty ones, many small
// ones, one larger than a part, names that need escaping.
func (s *shell) tree(dir string) {
	s.t.Helper()
	s.file(dir+"/empty", 0)
	s.file(dir+"/large", 12<<20+1)
	for _, name := range []string{"a b", "ü+%2F", "deep/er/and/deeper", "~", "x=y&z", "(1)"} {
		s.file(dir+"/"+name, 4000)
	}
	for i := range 30 {
		s.file(filepath.Join(dir, "many", strings.Repeat("n", i+1)), i*100)
	}
}

// equal compares two folders.
func (s *shell) equal(a, b string) {
	s.t.Helper()
	s.run("diff", "-r", a, b)
}

func TestRclone(t *testing.T) {
	s := newShell(t)
	s.env = append(s.env, "RCLONE_CONFIG_W_TYPE=s3", "RCLONE_CONFIG_W_PROVIDER=Other", "RCLONE_CONFIG_W_ENV_AUTH=true",
		"RCLONE_CONFIG_W_ENDPOINT="+s.w.Endpoint, "RCLONE_CONFIG_W_REGION=us-east-1", "RCLONE_CONFIG="+s.dir+"/none")
	rclone := func(args ...string) string {
		s.t.Helper()
		return s.run("rclone", append([]string{"--s3-upload-cutoff=5M", "--s3-chunk-size=5M", "--retries=1"}, args...)...)
	}
	s.tree("up")
	rclone("mkdir", "w:pond")
	rclone("sync", "up", "w:pond/tree")
	rclone("check", "up", "w:pond/tree")
	rclone("check", "--download", "up", "w:pond/tree")
	rclone("copy", "w:pond/tree", "down")
	s.equal("up", "down")
	rclone("sync", "w:pond/tree", "w:pond/copy") // copies within the store
	rclone("check", "w:pond/tree", "w:pond/copy")
	if err := os.RemoveAll(filepath.Join(s.dir, "up/many")); err != nil {
		t.Fatal(err)
	}
	s.file("up/a b", 5000)
	rclone("sync", "up", "w:pond/tree")
	rclone("check", "up", "w:pond/tree")
	s.says(rclone("size", "w:pond/tree"), "Total objects: 8 ")
	s.says(rclone("lsf", "--dirs-only", "w:pond"), "copy/")
	rclone("purge", "w:pond")
	if out := rclone("lsd", "w:"); strings.Contains(out, "pond") {
		t.Errorf("left: %s", out)
	}
}

func TestRestic(t *testing.T) {
	s := newShell(t)
	s.env = append(s.env, "RESTIC_PASSWORD=pond", "RESTIC_REPOSITORY=s3:"+s.w.Endpoint+"/pond/backups", "RESTIC_CACHE_DIR="+s.dir+"/cache")
	restic := func(args ...string) string {
		s.t.Helper()
		return s.run("restic", args...)
	}
	s.tree("up")
	restic("init")
	restic("backup", "up")
	s.file("up/later", 100_000)
	restic("backup", "up")
	s.says(restic("check", "--read-data"), "no errors were found")
	s.says(restic("snapshots"), "2 snapshots")
	restic("restore", "latest", "--target", "down")
	s.equal("up", "down/up")
	restic("forget", "--keep-last", "1", "--prune")
	s.says(restic("check", "--read-data"), "no errors were found")
}

func TestS3fs(t *testing.T) {
	s := newShell(t)
	s.aws("s3", "mb", "s3://pond")
	at := filepath.Join(s.dir, "mnt")
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(s.dir, "keys")
	if err := os.WriteFile(keys, []byte(walrustest.Ann.AccessKey+":"+walrustest.Ann.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mount := exec.Command("s3fs", "pond", at, "-f", "-o", "url="+s.w.Endpoint+",use_path_request_style,passwd_file="+keys+
		",endpoint=us-east-1,multipart_size=5,singlepart_copy_limit=10")
	mount.Env = s.env
	if err := mount.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = s.try("umount", at)
		_ = mount.Process.Kill()
		_ = mount.Wait()
	})
	for range 200 {
		if strings.Contains(s.run("stat", "-f", "-c", "%T", "mnt"), "fuse") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.tree("up")
	s.run("cp", "-r", "up", "mnt/up")
	s.equal("up", "mnt/up")
	s.run("sh", "-ec", "cd mnt/up; echo more >>'a b'; mv many moved; mv large larger; rm empty; mkdir folder; chmod 640 '~'")
	s.run("sh", "-ec", "cd up; echo more >>'a b'; mv many moved; mv large larger; rm empty; mkdir folder; chmod 640 '~'")
	s.equal("up", "mnt/up")
	s.run("umount", "mnt")
	s.aws("s3", "sync", "s3://pond/up/", "down", "--exclude", "*/")
	s.same("down/larger", s.read("up/larger"))
}

func (s *shell) read(name string) []byte {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}
