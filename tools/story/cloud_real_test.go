//go:build real

package story

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/tools/site"
)

// long reports whether the full counts are wanted.
var long = os.Getenv("KARRI_TEST") == "long"

// cloud is a running site with its administrator's settings.
type cloud struct {
	*site.Site
	t     *testing.T
	env   []string
	image string
	key   string // file of a private key that the cloud knows as "story"
	told  *told
}

var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "karri-bin")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir+"/", "karri/cloudctl", "karri/clusterctl", "karri/nodectl", "karri/walrus", "karri/blockstore", "karri/tools/karri", "karri/tools/lab")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return dir, nil
})

// TestMain removes what the stories share.
func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// start brings up a cloud with so many hosts (0: this machine) for one test.
func start(t *testing.T, hosts int) *cloud {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "karri-story")
	if err != nil {
		t.Fatal(err)
	}
	s, err := site.Open(dir, hosts)
	if err != nil {
		t.Fatal(err)
	}
	s.Bin = bin
	t.Cleanup(func() {
		if t.Failed() {
			s.TellTroubles(os.Stderr, 8)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := s.Down(ctx, true); err != nil {
			t.Errorf("down: %v", err)
		}
		os.RemoveAll(dir)
	})
	if err := s.Up(t.Context(), func(what string) { t.Log(what) }); err != nil {
		t.Fatal(err)
	}
	c := &cloud{Site: s, t: t, told: &told{}}
	c.readEnv()
	t.Cleanup(c.secretsAreKept) // before the cloud is removed
	c.prepare()
	return c
}

// readEnv takes the settings from admin.env, as a shell would.
func (c *cloud) readEnv() {
	out, err := exec.Command("env", "-i", "PATH="+os.Getenv("PATH"), "HOME="+c.Dir, "sh", "-c", ". "+filepath.Join(c.Dir, "admin.env")+" && env").Output()
	if err != nil {
		c.t.Fatal(err)
	}
	c.env = strings.Split(strings.TrimSpace(string(out)), "\n")
}

// prepare makes what most stories need: an image, a key, and ssh let in.
func (c *cloud) prepare() {
	c.t.Helper()
	c.image = c.register("guest")
	c.newKey(filepath.Join(c.Dir, "story.pem"))
	c.letSSHIn()
}

// newKey makes the key pair "story" and keeps its private part in file.
func (c *cloud) newKey(file string) {
	c.t.Helper()
	c.key = file
	pem := c.aws("ec2", "create-key-pair", "--key-name", "story", "--key-type", "ed25519", "--query", "KeyMaterial")
	if err := os.WriteFile(file, []byte(pem+"\n"), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) letSSHIn() {
	c.t.Helper()
	group := c.aws("ec2", "describe-security-groups", "--filters", "Name=group-name,Values=default", "--query", "SecurityGroups[0].GroupId")
	c.aws("ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "22", "--cidr", "0.0.0.0/0")
}

// register uploads the small guest and registers it under name.
func (c *cloud) register(name string) string {
	c.t.Helper()
	guest := guestImage(c.t)
	c.aws("s3", "mb", "s3://"+name)
	c.aws("s3", "cp", "--no-progress", guest, "s3://"+name+"/guest.qcow2")
	id := c.aws("ec2", "register-image", "--name", name, "--image-location", name+"/guest.qcow2", "--architecture", "x86_64",
		"--virtualization-type", "hvm", "--root-device-name", "/dev/vda", "--query", "ImageId")
	c.aws("ec2", "wait", "image-available", "--image-ids", id)
	return id
}

// guestImage builds the small guest once for all stories.
func guestImage(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("KARRI_CACHE")
	if cache == "" {
		cache = "/var/cache/karri"
	}
	out := filepath.Join(cache, "story-guest.qcow2")
	recipe, err := filepath.Abs("../guest/build")
	if err != nil {
		t.Fatal(err)
	}
	if newer(out, recipe) {
		return out
	}
	if b, err := exec.Command(recipe, out, filepath.Join(cache, "guest")).CombinedOutput(); err != nil {
		t.Fatalf("build the guest: %v: %s", err, b)
	}
	return out
}

func newer(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && x.ModTime().After(y.ModTime())
}

// aws runs the aws command line with --output text and returns what it prints.
func (c *cloud) aws(args ...string) string {
	c.t.Helper()
	out, err := c.tryAWS(args...)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// tryAWS is aws for calls that may be refused.
func (c *cloud) tryAWS(args ...string) (string, error) {
	if args[0] != "s3" {
		args = append(args, "--output", "text")
	}
	return c.command(3*time.Minute, append([]string{"aws"}, args...)...)
}

// command runs a user's command where users are, with the cloud's settings.
func (c *cloud) command(most time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	path, err := exec.LookPath(args[0])
	if args[0] == "aws" || args[0] == "karri" {
		path, err = filepath.Join(c.Tools(), args[0]), nil
	}
	if err != nil {
		return "", err
	}
	full := c.Control().Within(append([]string{path}, args[1:]...)...)
	cmd := exec.CommandContext(ctx, full[0], full[1:]...)
	cmd.Env = c.env
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		c.refused(string(out) + errs.String())
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// run starts n instances and waits until they run; more are further arguments.
func (c *cloud) run(n int, more ...string) []string {
	c.t.Helper()
	out := c.aws(append([]string{"ec2", "run-instances", "--image-id", c.image, "--instance-type", "t1.nano", "--key-name", "story",
		"--count", fmt.Sprint(n), "--query", "Instances[].InstanceId"}, more...)...)
	ids := strings.Fields(out)
	if len(ids) != n {
		c.t.Fatalf("asked for %d instances, got %q", n, out)
	}
	c.aws(append([]string{"ec2", "wait", "instance-running", "--instance-ids"}, ids...)...)
	return ids
}

// about returns one member of an instance as DescribeInstances tells it.
func (c *cloud) about(instance, member string) string {
	c.t.Helper()
	return c.aws("ec2", "describe-instances", "--instance-ids", instance, "--query", "Reservations[0].Instances[0]."+member)
}

// ssh runs a command inside an instance.
func (c *cloud) ssh(instance, command string) (string, error) {
	return c.sshTo(c.about(instance, "PublicIpAddress"), command)
}

func (c *cloud) sshTo(address, command string) (string, error) {
	return c.command(time.Minute, "ssh", "-i", c.key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		"-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "root@"+address, command)
}

// mustSSH tries until the instance lets us in, for at most four minutes.
func (c *cloud) mustSSH(instance, command string) string {
	c.t.Helper()
	address := c.about(instance, "PublicIpAddress")
	var out string
	var err error
	if !eventually(4*time.Minute, func() bool { out, err = c.sshTo(address, command); return err == nil }) {
		console, _ := c.tryAWS("ec2", "get-console-output", "--instance-id", instance, "--query", "Output")
		c.t.Fatalf("ssh to %s: %v\nits console:\n%s", instance, err, console)
	}
	return out
}

// eventually asks ok every 200 ms until it says yes, for at most d.
func eventually(d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); ; time.Sleep(200 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}
