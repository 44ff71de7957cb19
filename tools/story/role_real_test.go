//go:build real

package story

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const trustEC2 = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`

const readPond = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::pond","arn:aws:s3:::pond/*"]},
	{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}]}`

// An instance has a role: a program in a real guest takes its credentials from
// the metadata service and reads the one bucket that the role may read, until
// the role may no more.
func TestAnInstanceUsesItsRole(t *testing.T) {
	c := start(t, 0)
	c.rolePrepared()
	ids := c.run(1, "--user-data", c.userData(), "--iam-instance-profile", "Name=reader", "--metadata-options", "HttpTokens=required,HttpPutResponseHopLimit=1")
	if arn := c.about(ids[0], "IamInstanceProfile.Arn"); !strings.HasSuffix(arn, ":instance-profile/reader") {
		t.Errorf("the instance has the profile %q", arn)
	}
	c.mustSSH(ids[0], "true")
	g := &guest{c, ids[0], c.about(ids[0], "PublicIpAddress")}
	g.upload(inside(t))

	if out := g.ask("s3", "/pond/fish"); !strings.HasPrefix(out, "200\ntrout") {
		t.Errorf("the bucket that the role reads: %s", out)
	}
	if out := g.ask("s3", "/pool/fish"); !strings.HasPrefix(out, "403\n") {
		t.Errorf("another bucket: %s", out)
	}
	who := g.ask("sts", "/?Action=GetCallerIdentity&Version=2011-06-15")
	if !strings.Contains(who, ":assumed-role/reader/"+ids[0]) {
		t.Errorf("it is known as %s", who)
	}
	if out := g.ask("ec2", "/?Action=DescribeInstances&Version=2016-11-15"); !strings.HasPrefix(out, "200\n") || !strings.Contains(out, ids[0]) {
		t.Errorf("EC2 from inside: %.300s", out)
	}
	if out := g.ask("ec2", "/?Action=DescribeVolumes&Version=2016-11-15"); !strings.HasPrefix(out, "403\n") {
		t.Errorf("what the role may not ask of EC2: %.300s", out)
	}
	c.quotasAsShown()
	g.refusedSoon()
	g.attach(g.volume("--size", "1"), ids[0], "/dev/sdf")
	g.givesOutSecrets()
	g.takeDownSecrets(ids[0])
}

func (c *cloud) rolePrepared() {
	c.t.Helper()
	c.aws("iam", "create-role", "--role-name", "reader", "--assume-role-policy-document", trustEC2)
	c.aws("iam", "put-role-policy", "--role-name", "reader", "--policy-name", "pond", "--policy-document", readPond)
	c.aws("iam", "create-instance-profile", "--instance-profile-name", "reader")
	c.aws("iam", "add-role-to-instance-profile", "--instance-profile-name", "reader", "--role-name", "reader")
	fish := filepath.Join(c.Dir, "fish")
	if err := os.WriteFile(fish, []byte("trout"), 0o600); err != nil {
		c.t.Fatal(err)
	}
	for _, b := range []string{"pond", "pool"} {
		c.aws("s3", "mb", "s3://"+b)
		c.aws("s3", "cp", "--no-progress", fish, "s3://"+b+"/fish")
	}
}

// quotasAsShown asks for more by Service Quotas, and the administrator grants it.
func (c *cloud) quotasAsShown() {
	c.t.Helper()
	addresses := []string{"--service-code", "ec2", "--quota-code", "L-0263D0A3"}
	get := append([]string{"service-quotas", "get-service-quota", "--query", "Quota.Value"}, addresses...)
	if v := strings.TrimSuffix(c.aws(get...), ".0"); v != "20" {
		c.t.Errorf("addresses: %s", v)
	}
	id := c.aws(append([]string{"service-quotas", "request-service-quota-increase", "--desired-value", "25", "--query", "RequestedQuota.Id"}, addresses...)...)
	if out, err := c.command(time.Minute, "karri", "quota", "request", "approve", "--request-id", id); err != nil {
		c.t.Error(out, err)
	}
	if v := strings.TrimSuffix(c.aws(get...), ".0"); v != "25" {
		c.t.Errorf("addresses after the grant: %s", v)
	}
	if out, err := c.command(time.Minute, "karri", "quota", "list"); err != nil || !strings.Contains(out, "L-0263D0A3") {
		c.t.Errorf("karri quota list: %s %v", out, err)
	}
}

// inside builds the program that runs in the guest.
func inside(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "inside")
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", out, "karri/tools/story/inside")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, b)
	}
	return out
}

// guest is an instance that reaches the public APIs through its ssh connection:
// they listen on the loopback of this machine alone.
type guest struct {
	*cloud
	id, address string
}

func (g *guest) args(more ...string) []string {
	return append([]string{"ssh", "-i", g.key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		"-o", "BatchMode=yes", "-o", "ConnectTimeout=5"}, more...)
}

func (g *guest) upload(file string) {
	g.t.Helper()
	args := g.Control().Within(g.args("root@"+g.address, "cat > /root/inside && chmod +x /root/inside")...)
	f, err := os.Open(file)
	if err != nil {
		g.t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin = f
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("upload: %v %s", err, out)
	}
}

func (g *guest) command(what, path string, more ...string) []string {
	use := "ec2"
	if what == "s3" {
		use = "s3"
	}
	port := strconv.Itoa(g.Ports[use])
	return append(g.args("-R", port+":127.0.0.1:"+port, "root@"+g.address),
		"/root/inside "+strings.Join(more, " ")+" "+what+" 'http://127.0.0.1:"+port+path+"'")
}

func (g *guest) ask(what, path string) string {
	g.t.Helper()
	out, err := g.cloud.command(time.Minute, g.command(what, path)...)
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}

// refusedSoon takes the role's policy away while a program in the guest reads:
// it is refused soon, as a rule within a second.
func (g *guest) refusedSoon() {
	g.t.Helper()
	type end struct {
		out string
		err error
		at  time.Time
	}
	ended := make(chan end, 1)
	go func() {
		out, err := g.cloud.command(90*time.Second, g.command("s3", "/pond/fish", "-until 403")...)
		ended <- end{out, err, time.Now()}
	}()
	select {
	case e := <-ended:
		g.t.Fatalf("refused before its time: %s %v", e.out, e.err)
	case <-time.After(5 * time.Second):
	}
	g.aws("iam", "delete-role-policy", "--role-name", "reader", "--policy-name", "pond")
	gone := time.Now()
	e := <-ended
	took := e.at.Sub(gone)
	g.t.Logf("refused %v after the answer to DeleteRolePolicy", took.Round(time.Millisecond))
	if e.err != nil || took > 15*time.Second {
		g.t.Errorf("refused after %v: %s %v", took, e.out, e.err)
	}
}

// takeDownSecrets takes down what the guest was given, for the search before the
// cloud is removed.
func (g *guest) takeDownSecrets(id string) {
	g.t.Helper()
	given := strings.Fields(g.mustSSH(id, "/root/inside -secret"))
	if len(given) != 2 || len(given[0]) < 20 {
		g.t.Fatalf("the secret and the token are %q", given)
	}
	g.secret("the secret of a role", given[0])
	g.secret("the token of a role", given[1])
}
