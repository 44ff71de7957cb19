package pretend

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/rest"
	"karri/shared/sign"
	"karri/shared/wire"
)

const trustsInstances = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`

// asks is the credentials of an instance, as a node asks its clusterctl.
func (s *Story) asks(node string, i string, association string) (c wire.Credentials, err error) {
	s.Helper()
	p, err := s.part(node)
	if err != nil {
		s.Fatal(err)
	}
	up, err := s.part("clusterctl-" + p.zone)
	if err != nil {
		s.Fatal(err)
	}
	client := rest.NewClient(p.service.Self, up.service.Identity(), s.addrs[up.name], rest.Dial(s.dial(hostOf(s.addrs[node]))))
	defer client.Close()
	err = client.Call(s.Context(), http.MethodPost, wire.CredentialsPath(id.Instance(i)), nil, wire.CredentialsOf{Association: association}, &c)
	return c, err
}

func (s *Story) must(service, action string, in params) map[string]any {
	s.Helper()
	out, err := s.Admin.Call(s.Context(), service, action, in)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// metric says whether the numbers of a daemon have a line with all pieces.
func (s *Story) metric(daemon string, pieces ...string) bool {
	s.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: s.dial(hostOf(s.addrs[daemon]))}}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://" + s.addrs[daemon+"-admin"] + "/metrics")
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		has := true
		for _, p := range pieces {
			has = has && strings.Contains(line, p)
		}
		if has {
			return true
		}
	}
	return false
}

// newRole makes a role for instances, and a profile of the same name that
// carries it.
func (s *Story) newRole(name string) {
	s.Helper()
	s.must("iam", "CreateRole", params{"RoleName": name, "AssumeRolePolicyDocument": trustsInstances})
	s.must("iam", "CreateInstanceProfile", params{"InstanceProfileName": name})
	s.must("iam", "AddRoleToInstanceProfile", params{"InstanceProfileName": name, "RoleName": name})
}

// othersAreRefused: a host that does not have the instance asks, is refused and
// counted.
func (s *Story) othersAreRefused(node, i, association string) {
	s.Helper()
	counted := func() bool {
		return s.metric("clusterctl-"+s.ZoneNames()[0], "karri_http_errors_total", "NotForYou", "credentials")
	}
	if counted() {
		s.Error("a refusal is counted that was not")
	}
	if _, err := s.asks(node, i, association); fault.CodeOf(err) != "NotForYou" {
		s.Errorf("another host: %v", err)
	}
	if !counted() {
		s.Error("the refusal of another host is not counted")
	}
}

// The credentials of an instance's role are for the one host that has it; they
// are worth what the role is worth at the moment.
func TestOnlyItsHostGetsTheCredentialsOfAnInstance(t *testing.T) {
	Tell(t, func(c *Story) {
		c.newRole("web")
		c.must("iam", "PutRolePolicy", params{"RoleName": "web", "PolicyName": "look",
			"PolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}}`})
		launch := Launch(c.Base, 1)
		launch["IamInstanceProfile"] = params{"Name": "web"}
		i := Instances(c.Ask("RunInstances", launch))[0]
		c.Settle()
		had := List(c.Ask("DescribeIamInstanceProfileAssociations", nil), "IamInstanceProfileAssociations")
		if len(had) != 1 {
			c.Fatal(had)
		}
		association := had[0]["AssociationId"].(string)
		node, other := "node1", "node2"
		if c.Hosts[other].Runs(id.Instance(i)) > 0 {
			node, other = other, node
		}

		got, err := c.asks(node, i, association)
		if err != nil || got.Expires.Sub(time.Now()) < 5*time.Hour || got.Token == "" {
			c.Fatalf("%v until %v", err, got.Expires)
		}
		role := c.As(sign.Credentials{AccessKey: got.AccessKey, Secret: got.Secret, Token: got.Token})
		defer role.Close()
		who, err := role.Call(c.Context(), "sts", "GetCallerIdentity", nil)
		if arn, _ := who["Arn"].(string); err != nil || !strings.HasSuffix(arn, ":assumed-role/web/"+i) {
			c.Error(who, err)
		}
		if _, err := role.Call(c.Context(), "ec2", "DescribeInstances", nil); err != nil {
			c.Error(err)
		}
		c.Refused(role, "UnauthorizedOperation", "DescribeVolumes", nil)

		c.othersAreRefused(other, i, association)
		if _, err := c.asks(node, "i-00000000000000000", association); fault.CodeOf(err) != "NotForYou" {
			c.Errorf("an instance that is not there: %v", err)
		}
		if _, err := c.asks(node, i, "iip-assoc-00000000000000000"); fault.KindOf(err) != fault.Later {
			c.Errorf("an association that is not the instance's: %v", err)
		}

		c.must("iam", "DeleteRolePolicy", params{"RoleName": "web", "PolicyName": "look"})
		c.Refused(role, "UnauthorizedOperation", "DescribeInstances", nil)
		c.must("iam", "UpdateAssumeRolePolicy", params{"RoleName": "web", "PolicyDocument": strings.Replace(trustsInstances, "ec2.", "lambda.", 1)})
		if _, err := c.asks(node, i, association); fault.CodeOf(err) != wire.NoRole {
			c.Errorf("a role that does not trust instances: %v", err)
		}
		c.Ask("DisassociateIamInstanceProfile", params{"AssociationId": association})
		if _, err := c.asks(node, i, association); fault.CodeOf(err) != wire.NoRole {
			c.Errorf("after the role was taken away: %v", err)
		}
		c.Terminate(i)
		c.Settle()
		if _, err := c.asks(node, i, association); fault.CodeOf(err) != "NotForYou" {
			c.Errorf("after the instance ended: %v", err)
		}
	})
}

// user makes a user with one policy, and speaks as it. Close it.
func (s *Story) user(admin *Client, name, document string) *Client {
	s.Helper()
	ask := func(action string, in params) map[string]any {
		out, err := admin.Call(s.Context(), "iam", action, in)
		if err != nil {
			s.Fatal(err)
		}
		return out
	}
	ask("CreateUser", params{"UserName": name})
	ask("PutUserPolicy", params{"UserName": name, "PolicyName": "own", "PolicyDocument": document})
	key := ask("CreateAccessKey", params{"UserName": name})["AccessKey"].(map[string]any)
	return s.As(sign.Credentials{AccessKey: key["AccessKeyId"].(string), Secret: key["SecretAccessKey"].(string)})
}

// Who may run instances may not hand on any role for it.
func TestARoleIsHandedOnByWhoMayPassIt(t *testing.T) {
	Tell(t, func(c *Story) {
		c.newRole("web")
		c.newRole("all")
		eve := c.user(c.Admin, "eve", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"},
			{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::*:role/web","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}}]}`)
		defer eve.Close()
		launch := Launch(c.Base, 1)
		launch["IamInstanceProfile"] = params{"Name": "all"}
		c.Refused(eve, "UnauthorizedOperation", "RunInstances", launch)
		launch["IamInstanceProfile"] = params{"Name": "web"}
		i := Instances(c.AskAs(eve, "RunInstances", launch))[0]
		had := List(c.AskAs(eve, "DescribeIamInstanceProfileAssociations", nil), "IamInstanceProfileAssociations")
		a := had[0]["AssociationId"]
		c.Refused(eve, "UnauthorizedOperation", "ReplaceIamInstanceProfileAssociation", params{"AssociationId": a, "IamInstanceProfile": params{"Name": "all"}})
		c.AskAs(eve, "DisassociateIamInstanceProfile", params{"AssociationId": a})
		c.Refused(eve, "UnauthorizedOperation", "AssociateIamInstanceProfile", params{"InstanceId": i, "IamInstanceProfile": params{"Name": "all"}})
		c.AskAs(eve, "AssociateIamInstanceProfile", params{"InstanceId": i, "IamInstanceProfile": params{"Name": "web"}})
	})
}

// A policy of the administrator denies to all of an account, ends its instances
// in time, and bounds its users; another account goes on as before.
func TestPoliciesOfAccounts(t *testing.T) {
	Tell(t, func(c *Story) {
		made := c.must("karri", "CreateAccount", params{"Name": "lab"})
		account := made["AccountId"].(string)
		lab := c.As(sign.Credentials{AccessKey: made["AccessKeyId"].(string), Secret: made["SecretAccessKey"].(string)})
		defer lab.Close()
		image, err := lab.Image(c.Context())
		if err != nil {
			c.Fatal(err)
		}
		c.must("karri", "PutAccountPolicy", params{"AccountId": account, "PolicyName": "lab", "PolicyDocument": `{"Version":"2012-10-17","Statement":[
			{"Effect":"Deny","Action":"ec2:CreateKeyPair","Resource":"*"},
			{"Effect":"Limit","Action":"ec2:RunInstances","Resource":"*","Condition":{"NumericEquals":{"ec2:KeepAlive":"2"},"NumericLessThanEquals":{"ec2:quota-cputotalsize":"1"}}},
			{"Effect":"Limit","Action":"iam:CreateUser","Resource":"*","Condition":{"NumericLessThanEquals":{"iam:quota-usernumber":"1"}}}]}`})
		c.Refused(lab, "UnauthorizedOperation", "CreateKeyPair", params{"KeyName": "k"})
		c.Ask("CreateKeyPair", params{"KeyName": "k"})
		c.user(lab, "one", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`).Close()
		if _, err := lab.Call(c.Context(), "iam", "CreateUser", params{"UserName": "two"}); CodeOf(err) != "LimitExceeded" {
			c.Error(err)
		}

		i := Instances(c.AskAs(lab, "RunInstances", Launch(image, 1)))[0]
		mine := c.Run(c.Base, 1)[0]
		c.Refused(lab, "VcpuLimitExceeded", "RunInstances", Launch(image, 1))
		c.Settle()
		told := c.must("karri", "Explain", params{"Id": i})
		if !strings.Contains(fmt.Sprint(told), "by the policy lab") {
			c.Errorf("its end is not told: %v", told)
		}
		c.Wait(3 * time.Minute)
		c.Settle()
		if s := c.States(lab)[i]; s != "terminated" {
			c.Errorf("after its time it is %s", s)
		}
		c.Is(mine, "running")
		c.AskAs(lab, "RunInstances", Launch(image, 1)) // there is room again
	})
}

// What a user may make is bounded by the user's policies, and what the account
// may have by those of the administrator, however it is asked for.
func TestLimitsOfUsersAndAccounts(t *testing.T) {
	Tell(t, func(c *Story) {
		limit := func(key, most string) string {
			return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
				{"Effect":"Limit","Action":"*","Resource":"*","Condition":{"NumericLessThanEquals":{"` + key + `":"` + most + `"}}}]}`
		}
		c.must("iam", "CreateUser", params{"UserName": "eve"})
		c.must("iam", "PutUserPolicy", params{"UserName": "eve", "PolicyName": "two", "PolicyDocument": limit("ec2:quota-volumenumber", "2")})
		key := c.must("iam", "CreateAccessKey", params{"UserName": "eve"})["AccessKey"].(map[string]any)
		eve := c.As(sign.Credentials{AccessKey: key["AccessKeyId"].(string), Secret: key["SecretAccessKey"].(string)})
		defer eve.Close()
		volume := params{"AvailabilityZone": c.ZoneNames()[0], "Size": 1}
		for range 2 {
			c.AskAs(eve, "CreateVolume", volume)
		}
		c.Refused(eve, "VolumeLimitExceeded", "CreateVolume", volume)
		c.Ask("CreateVolume", volume) // the account may have more
		c.must("iam", "PutUserPolicy", params{"UserName": "eve", "PolicyName": "bucket", "PolicyDocument": limit("s3:quota-bucketnumber", "1")})
		c.must("iam", "PutUserPolicy", params{"UserName": "eve", "PolicyName": "bytes", "PolicyDocument": limit("s3:quota-buckettotalsize", "5")})
		if err := eve.Put(c.Context(), "eves", "k", []byte("four")); err != nil {
			c.Error(err)
		}
		if err := eve.Put(c.Context(), "eves", "l", []byte("xx")); err == nil || !strings.Contains(err.Error(), "QuotaExceeded") {
			c.Errorf("more bytes than hers: %v", err)
		}
		if err := eve.Put(c.Context(), "eves2", "k", []byte("x")); err == nil || !strings.Contains(err.Error(), "TooManyBuckets") {
			c.Errorf("a second bucket of hers: %v", err)
		}

		account := c.must("sts", "GetCallerIdentity", nil)["Account"].(string)
		c.must("karri", "PutAccountPolicy", params{"AccountId": account, "PolicyName": "four",
			"PolicyDocument": `{"Statement":[{"Effect":"Limit","Action":"*","Resource":"*","Condition":{"NumericLessThanEquals":{"ec2:quota-volumenumber":"4"}}},{"Effect":"Deny","Action":"ec2:DeleteVolume","Resource":"*"}]}`})
		c.Ask("CreateVolume", volume)
		c.Refused(c.Admin, "VolumeLimitExceeded", "CreateVolume", volume)
		if _, err := c.Admin.Call(c.Context(), "karri", "PutAccountPolicy", params{"AccountId": account, "PolicyName": "more",
			"PolicyDocument": `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}); CodeOf(err) != "MalformedPolicyDocument" {
			c.Error(err)
		}
		c.must("karri", "PutAccountPolicy", params{"AccountId": account, "PolicyName": "buckets",
			"PolicyDocument": `{"Statement":{"Effect":"Limit","Action":"s3:*","Resource":"*","Condition":{"NumericLessThanEquals":{"s3:quota-bucketnumber":"3"}}}}`})
		c.Settle()
		c.Wait(10 * time.Second)
		if err := c.Admin.Put(c.Context(), "second", "k", []byte("x")); err != nil {
			c.Error(err)
		}
		if err := c.Admin.Put(c.Context(), "third", "k", []byte("x")); err == nil || !strings.Contains(err.Error(), "TooManyBuckets") {
			c.Errorf("a third bucket: %v", err)
		}
		for _, q := range List(c.must("karri", "ListQuotas", nil), "Quotas") {
			if q["Key"] == "s3:quota-bucketnumber" && (q["Limit"] != 3.0 || q["Used"] != 3.0) {
				c.Error(q)
			}
			if q["Key"] == "ec2:quota-volumenumber" && (q["Limit"] != 4.0 || q["Used"] != 4.0 || q["Policy"] != "four") {
				c.Error(q)
			}
		}
	})
}
