package pretend

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"karri/shared/sign"
)

// What a node refused is found at the top, each refusal once, whichever of the
// daemons between was stopped meanwhile.
func TestWhatANodeRefusedIsFoundAtTheTop(t *testing.T) {
	Tell(t, func(c *Story) {
		m := newMatrix(c)
		node, cluster := m.node, "clusterctl-"+m.here
		asked := 0
		knock := func(n int) {
			c.Helper()
			for range n {
				asked++
				if err := m.ask('w', node, "GET", attempt{path: "/v1/report", query: fmt.Sprint("try=", asked)}); !refused(err) {
					c.Errorf("walrus may ask a node: %v", err)
				}
			}
		}
		knock(5)
		for _, away := range []string{cluster, "cloudctl", node} {
			if away != node {
				if err := c.Stop(away); err != nil {
					c.Fatal(err)
				}
				knock(5)
			} else if err := c.Stop(away); err != nil {
				c.Fatal(err)
			}
			time.Sleep(time.Minute)
			if err := c.Start(c.Context(), away); err != nil {
				c.Fatal(err)
			}
			knock(5)
		}
		var seen map[any]bool
		err := c.Until(c.Context(), 5*time.Minute, func() (bool, error) {
			seen = m.refusalsOfNodes()
			return len(seen) >= asked, nil
		})
		if err != nil || len(seen) != asked {
			c.Errorf("%d of %d: %v", len(seen), asked, err)
		}
		out, err := c.Admin.Call(c.Context(), "karri", "VerifyAudit", nil)
		if err != nil {
			c.Fatal(err)
		}
		states := map[string]string{}
		for _, l := range out["Logs"].([]any) {
			log := l.(map[string]any)
			states[log["Daemon"].(string)] = fmt.Sprint(log["State"], log["Problems"])
		}
		if name := node + "." + m.here + ".nodectl.karri"; !strings.HasPrefix(states[name], "whole") || out["Whole"] != true {
			c.Errorf("%s: %v", name, states)
		}
	}, Zones(2), Hosts(3))
}

// refusalsOfNodes returns the ids of the requests that nodes here refused to
// walrus, as the administrator finds them. One that is there twice fails.
func (m *matrix) refusalsOfNodes() map[any]bool {
	m.Helper()
	out, err := m.Admin.Call(m.Context(), "karri", "SearchAudit", params{"Code": "NotForYou", "MaxResults": 1000})
	if err != nil {
		m.Fatal(err)
	}
	seen := map[any]bool{}
	for _, l := range out["Lines"].([]any) {
		line := l.(map[string]any)
		if !strings.HasSuffix(line["Daemon"].(string), "."+m.here+".nodectl.karri") {
			continue
		}
		if id := line["RequestId"]; seen[id] || line["Who"] != "walrus.karri" || line["Action"] != "GET /v1/report" {
			m.Errorf("%v", line)
		}
		seen[line["RequestId"]] = true
	}
	return seen
}

// A request that is not believed is found by the access key that it named, and
// it is said that nobody proved to have it.
func TestARefusedSignatureIsFoundByTheKeyThatItClaims(t *testing.T) {
	Tell(t, func(c *Story) {
		wrong := sign.Credentials{AccessKey: c.Keys.AccessKey, Secret: "no secret of ours"}
		nobody := sign.Credentials{AccessKey: "AKIAAAAAAAAAAAAAAAAA", Secret: c.Keys.Secret}
		misplaced := sign.Credentials{AccessKey: c.Keys.Secret, Secret: c.Keys.Secret}
		c.must("iam", "CreateUser", params{"UserName": "gone"})
		made := c.must("iam", "CreateAccessKey", params{"UserName": "gone"})["AccessKey"].(map[string]any)
		inactive := sign.Credentials{AccessKey: made["AccessKeyId"].(string), Secret: made["SecretAccessKey"].(string)}
		c.must("iam", "UpdateAccessKey", params{"UserName": "gone", "AccessKeyId": inactive.AccessKey, "Status": "Inactive"})
		for _, keys := range []sign.Credentials{wrong, nobody, misplaced, inactive} {
			u := c.As(keys)
			defer u.Close()
			if _, err := u.Call(c.Context(), "ec2", "DescribeRegions", nil); err == nil {
				c.Error("believed")
			}
			if err := u.Put(c.Context(), "pond", "fish", nil); err == nil {
				c.Error("believed by walrus")
			}
		}
		for _, key := range []string{wrong.AccessKey, nobody.AccessKey, sign.Malformed, inactive.AccessKey} {
			daemons := map[any]bool{}
			err := c.Until(c.Context(), 2*time.Minute, func() (bool, error) {
				out, err := c.Admin.Call(c.Context(), "karri", "SearchAudit", params{"AccessKey": key, "Code": "*"})
				if err != nil {
					return false, err
				}
				for _, l := range out["Lines"].([]any) {
					line := l.(map[string]any)
					if line["Claimed"] != key || line["Who"] != "" || line["AccessKey"] != "" || line["AccountId"] != "" {
						c.Errorf("%v", line)
					}
					daemons[line["Daemon"]] = true
				}
				return daemons["cloudctl.karri"] && daemons["walrus.karri"], nil
			})
			if err != nil {
				c.Errorf("%s: %v, %v", key, daemons, err)
			}
		}
		out := c.must("karri", "SearchAudit", params{"Code": "*", "MaxResults": 1000})
		if strings.Contains(fmt.Sprint(out), misplaced.AccessKey) {
			for _, l := range out["Lines"].([]any) {
				if strings.Contains(fmt.Sprint(l), misplaced.AccessKey) {
					c.Errorf("a secret that was given for a key is in the audit log: %v", l)
				}
			}
		}
	})
}

// An account reads in its events what it asked for, and what was made.
func TestEventsSayWhatWasAskedForAndMade(t *testing.T) {
	Tell(t, func(c *Story) {
		i := c.Run(c.Base, 1)[0]
		if err := c.Admin.Put(c.Context(), "papers", "x", nil); err != nil {
			c.Fatal(err)
		}
		id := c.must("sts", "GetCallerIdentity", nil)["Account"].(string)
		c.must("iam", "CreateRole", params{"RoleName": "r", "AssumeRolePolicyDocument": strings.ReplaceAll(trust, "ACCOUNT", id)})
		ann := c.user(c.Admin, "ann", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`)
		out, err := ann.Call(c.Context(), "sts", "AssumeRole", params{"RoleArn": "arn:aws:iam::" + id + ":role/r", "RoleSessionName": "night"})
		if err != nil {
			c.Fatal(err)
		}
		session := out["Credentials"].(map[string]any)
		u := c.As(sign.Credentials{AccessKey: session["AccessKeyId"].(string), Secret: session["SecretAccessKey"].(string), Token: session["SessionToken"].(string)})
		defer u.Close()
		_, err = u.Call(c.Context(), "ec2", "TerminateInstances", params{"InstanceIds": []string{i}})
		if CodeOf(err) != "UnauthorizedOperation" {
			c.Error(err)
		}
		for name, wants := range map[string][]string{
			"RunInstances":       {`"requestParameters":{`, `"imageId":"` + c.Base + `"`, `"responseElements":{`, `"instanceId":"` + i + `"`, `"readOnly":false`, `"type":"Root"`},
			"CreateBucket":       {`"requestParameters":{"bucketName":"papers"`, `"eventSource":"s3.amazonaws.com"`},
			"AssumeRole":         {`"roleSessionName":"night"`, `"accessKeyId":"` + u.keys.AccessKey + `"`, `"readOnly":true`},
			"TerminateInstances": {`"instanceIds":["` + i + `"]`, `"errorCode":"Client.UnauthorizedOperation"`, `"responseElements":null`, `"type":"AssumedRole"`, `"sessionIssuer":{"type":"Role"`, `"userName":"r"`, `"creationDate":"`},
		} {
			var event string
			err := c.Until(c.Context(), 2*time.Minute, func() (bool, error) {
				out, err := c.Admin.Call(c.Context(), "cloudtrail", "LookupEvents", params{"LookupAttributes": []params{{"AttributeKey": "EventName", "AttributeValue": name}}})
				if all, _ := out["Events"].([]any); len(all) > 0 {
					event, _ = all[0].(map[string]any)["CloudTrailEvent"].(string)
				}
				return event != "", err
			})
			for _, want := range wants {
				if err != nil || !strings.Contains(event, want) {
					c.Errorf("%s: %v, no %s in %s", name, err, want, event)
				}
			}
		}
	})
}
