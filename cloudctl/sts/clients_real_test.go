//go:build real

package sts

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/federation/issuertest"
)

// environ is that of a client with keys.
func (w *world) environ(k keys, more ...string) []string {
	env := append(os.Environ(), "AWS_ACCESS_KEY_ID="+k.id, "AWS_SECRET_ACCESS_KEY="+k.secret, "AWS_DEFAULT_REGION="+region, "AWS_PAGER=",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1")
	if k.token != "" {
		env = append(env, "AWS_SESSION_TOKEN="+k.token)
	}
	return append(env, more...)
}

// aws runs the aws cli and returns its answer.
func (w *world) aws(k keys, args ...string) (map[string]any, error) {
	w.t.Helper()
	c := exec.Command("aws", append([]string{"--endpoint-url", w.url, "--output", "json"}, args...)...)
	c.Env = w.environ(k)
	out, err := c.CombinedOutput()
	answer := map[string]any{}
	if err == nil && len(out) > 0 {
		err = json.Unmarshal(out, &answer)
	}
	if err != nil {
		err = &failure{strings.TrimSpace(string(out))}
	}
	return answer, err
}

type failure struct{ text string }

func (f *failure) Error() string { return f.text }

func (w *world) mustAWS(k keys, args ...string) map[string]any {
	w.t.Helper()
	out, err := w.aws(k, args...)
	if err != nil {
		w.t.Fatalf("aws %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (w *world) refusedAWS(code string, k keys, args ...string) {
	w.t.Helper()
	if _, err := w.aws(k, args...); err == nil || !strings.Contains(err.Error(), "("+code+")") {
		w.t.Errorf("aws %s: %v, want %s", strings.Join(args, " "), err, code)
	}
}

func given(answer map[string]any) keys {
	c := answer["Credentials"].(map[string]any)
	return keys{c["AccessKeyId"].(string), c["SecretAccessKey"].(string), c["SessionToken"].(string)}
}

func TestRolesWithTheAWSCommandLine(t *testing.T) {
	w := newWorld(t, issuers())
	ann := w.user("ann", allowAssume)
	serial := w.device("ann")
	w.mustAWS(w.root, "iam", "create-role", "--role-name", "safe", "--assume-role-policy-document",
		trust(`{"AWS":"`+w.account+`"}`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`))
	policy := w.mustAWS(w.root, "iam", "create-policy", "--policy-name", "read", "--policy-document", onlyRoles)["Policy"].(map[string]any)["Arn"].(string)
	w.mustAWS(w.root, "iam", "attach-role-policy", "--role-name", "safe", "--policy-arn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	arn := "arn:aws:iam::" + w.account + ":role/safe"

	w.refusedAWS("AccessDenied", ann, "sts", "assume-role", "--role-arn", arn, "--role-session-name", "cli")
	w.refusedAWS("AccessDenied", ann, "iam", "list-users")
	session := given(w.mustAWS(ann, "sts", "assume-role", "--role-arn", arn, "--role-session-name", "cli", "--serial-number", serial, "--token-code", w.code()))
	w.mustAWS(session, "iam", "list-users")
	w.mustAWS(session, "iam", "list-roles")
	if who := w.mustAWS(session, "sts", "get-caller-identity")["Arn"]; who != "arn:aws:sts::"+w.account+":assumed-role/safe/cli" {
		t.Error(who)
	}
	w.shift.Store(int64(30 * time.Second))
	narrowed := given(w.mustAWS(ann, "sts", "assume-role", "--role-arn", arn, "--role-session-name", "cli", "--serial-number", serial, "--token-code", w.code(),
		"--policy-arns", "arn="+policy))
	w.refusedAWS("AccessDenied", narrowed, "iam", "list-users")
	w.mustAWS(narrowed, "iam", "list-roles")

	idp := issuertest.New(t)
	provider := w.register(idp)
	w.role("ci", trust(`{"Federated":"`+provider+`"}`, ""), allowAll)
	web := given(w.mustAWS(keys{}, "sts", "assume-role-with-web-identity", "--role-arn", "arn:aws:iam::"+w.account+":role/ci", "--role-session-name", "ci",
		"--web-identity-token", idp.Token(t, nil)))
	w.mustAWS(web, "iam", "get-account-authorization-details")
	w.mustAWS(web, "iam", "list-entities-for-policy", "--policy-arn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	document := w.mustAWS(web, "iam", "get-policy-version", "--policy-arn", "arn:aws:iam::aws:policy/ReadOnlyAccess", "--version-id", "v1")["PolicyVersion"].(map[string]any)["Document"]
	if _, decoded := document.(map[string]any); !decoded {
		t.Errorf("the document is not read: %v", document)
	}
}

const story = `
import boto3, os, sys
from botocore.config import Config
from botocore.exceptions import ClientError
url, role, serial, code, provider_role, token = sys.argv[1:]
def client(name, keys=None):
    more = {} if keys is None else dict(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
    return boto3.client(name, endpoint_url=url, config=Config(retries={"max_attempts": 0}), **more)
def refused(call, **args):
    try:
        call(**args)
    except ClientError as e:
        assert e.response["Error"]["Code"] == "AccessDenied", e
        return
    raise AssertionError("it is allowed")
sts = client("sts")
refused(sts.assume_role, RoleArn=role, RoleSessionName="b3")
session = sts.assume_role(RoleArn=role, RoleSessionName="b3", SerialNumber=serial, TokenCode=code, Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"], DurationSeconds=900)["Credentials"]
iam = client("iam", session)
assert [r["RoleName"] for p in iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1}) for r in p["Roles"]] == ["ci", "safe"]
assert any(p["PolicyName"] == "ReadOnlyAccess" for page in iam.get_paginator("list_policies").paginate(Scope="AWS") for p in page["Policies"])
assert iam.get_role(RoleName="safe")["Role"]["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
iam.create_role(RoleName="made", AssumeRolePolicyDocument='{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}')
iam.create_instance_profile(InstanceProfileName="made")
iam.add_role_to_instance_profile(InstanceProfileName="made", RoleName="made")
assert iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="made") is None
assert iam.get_instance_profile(InstanceProfileName="made")["InstanceProfile"]["Roles"][0]["RoleName"] == "made"
refused(client("sts", session).get_session_token)
web = client("sts").assume_role_with_web_identity(RoleArn=provider_role, RoleSessionName="ci", WebIdentityToken=token, Policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}]}')
narrow = client("iam", web["Credentials"])
narrow.list_roles()
refused(narrow.list_users)
guest = client("sts").get_federation_token(Name="guest")["Credentials"]
assert client("sts", guest).get_caller_identity()["Arn"].endswith(":federated-user/guest")
print("all is well")
`

func TestRolesWithBoto3(t *testing.T) {
	w := newWorld(t, issuers())
	ann := w.user("ann", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`)
	serial := w.device("ann")
	role := w.role("safe", trust(`{"AWS":"`+w.account+`"}`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), allowAll)
	idp := issuertest.New(t)
	ci := w.role("ci", trust(`{"Federated":"`+w.register(idp)+`"}`, ""), allowAll)
	script := filepath.Join(t.TempDir(), "story.py")
	if err := os.WriteFile(script, []byte(story), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("python3", script, w.url, role, serial, w.code(), ci, idp.Token(t, nil))
	c.Env = w.environ(ann)
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "all is well") {
		t.Errorf("%v: %s", err, out)
	}
}
