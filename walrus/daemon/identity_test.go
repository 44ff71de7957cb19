package daemon_test

import (
	"testing"
	"time"

	"karri/shared/identity"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

func document(statements string) []identity.Document {
	return []identity.Document{{Name: "p", Text: `{"Version":"2012-10-17","Statement":[` + statements + `]}`}}
}

func userOf(u walrustest.User, name string, policies []identity.Document) *identity.Identity {
	return &identity.Identity{
		Kind: identity.User, Account: u.Account, Name: name, ARN: "arn:aws:iam::" + u.Account + ":user/" + name, ID: "AIDA" + name,
		Tags: map[string]string{"team": "red"}, Policies: policies,
	}
}

const (
	allS3    = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	readS3   = `{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}`
	denyGets = `{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`
	ownShelf = `{"Effect":"Allow","Action":"s3:*Object","Resource":"arn:aws:s3:::pond/${aws:PrincipalTag/team}/${aws:username}/*"}`
)

func TestUsersHaveWhatTheirPoliciesGive(t *testing.T) {
	cloud := walrustest.StartCloud(t)
	w := walrustest.Start(t, cloud, daemon.Config{})
	made := map[string]walrustest.User{}
	admit := func(name string, of walrustest.User, change func(*identity.Identity), statements string) walrustest.User {
		u := walrustest.User{Account: of.Account, AccessKey: ("AKIA" + name + "AAAAAAAAAAAAAAAA")[:20], Secret: "secret of " + name}
		i := userOf(of, name, nil)
		if statements != "" {
			i.Policies = document(statements)
		}
		if change != nil {
			change(i)
		}
		cloud.Admit(u, i, "")
		made[name] = u
		return u
	}
	none, reader := admit("NONE", ann, nil, ""), admit("READER", ann, nil, readS3)
	writer, denied := admit("WRITER", ann, nil, allS3), admit("DENIED", ann, nil, allS3+","+denyGets)
	shelf := admit("SHELF", ann, nil, ownShelf)
	bounded := admit("BOUNDED", ann, func(i *identity.Identity) { i.Boundary = document(readS3) }, allS3)
	other := admit("OTHER", bob, nil, allS3)
	boss := admit("BOSS", bob, func(i *identity.Identity) { i.Admin = true }, readS3)
	play(t, w, []ask{
		{who: none, method: "GET", path: "/", status: 403, code: "AccessDenied"},
		{who: none, method: "PUT", path: "/pond", status: 403, code: "AccessDenied"},
		{who: reader, method: "PUT", path: "/pond", status: 403, code: "AccessDenied"},
		{who: bounded, method: "PUT", path: "/pond", status: 403, code: "AccessDenied"},
		{who: writer, method: "PUT", path: "/pond", status: 200},
		{who: reader, method: "GET", path: "/", status: 200, has: []string{"<Name>pond</Name>"}},
		{who: writer, method: "PUT", path: "/pond/k", body: "hello", status: 200},
		{who: reader, method: "GET", path: "/pond/k", status: 200},
		{who: reader, method: "PUT", path: "/pond/k", body: "x", status: 403, code: "AccessDenied"},
		{who: none, method: "GET", path: "/pond/k", status: 403, code: "AccessDenied"},
		{who: none, method: "GET", path: "/pond/missing", status: 403, code: "AccessDenied"},
		{who: reader, method: "GET", path: "/pond/missing", status: 404, code: "NoSuchKey"},
		{who: denied, method: "GET", path: "/pond/k", status: 403, code: "AccessDenied"},
		{who: denied, method: "PUT", path: "/pond/k", body: "hello", status: 200},
		{who: bounded, method: "GET", path: "/pond/k", status: 200},
		{who: bounded, method: "DELETE", path: "/pond/k", status: 403, code: "AccessDenied"},
		{who: shelf, method: "PUT", path: "/pond/red/SHELF/a", body: "x", status: 200},
		{who: shelf, method: "PUT", path: "/pond/red/OTHER/a", body: "x", status: 403, code: "AccessDenied"},
		{who: other, method: "GET", path: "/pond/k", status: 403, code: "AccessDenied"},
		{who: boss, method: "GET", path: "/pond/k", status: 200},
		{who: boss, method: "PUT", path: "/pond/k", body: "x", status: 403, code: "AccessDenied"},
		// The bucket's policy: a name of the own account needs no policy of the
		// user; another account's user needs both.
		{method: "PUT", path: "/pond?policy", body: `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:user/NONE","arn:aws:iam::222222222222:user/OTHER"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::pond/*"},
			{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::pond/*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}]}`, status: 204},
		{who: none, method: "GET", path: "/pond/k", status: 200},
		{who: other, method: "GET", path: "/pond/k", status: 200},
		{who: other, method: "GET", path: "/pond", status: 403, code: "AccessDenied"},
		{who: writer, method: "PUT", path: "/pond/k", body: "x", status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/pond/k", body: "x", status: 200},
	})
}

func TestSessionsReachWalrus(t *testing.T) {
	cloud := walrustest.StartCloud(t)
	w := walrustest.Start(t, cloud, daemon.Config{})
	session := walrustest.User{Account: ann.Account, AccessKey: "ASIASESSIONSESSION11", Secret: "secret of the session"}
	end := time.Now().Add(time.Hour)
	role := &identity.Identity{
		Kind: identity.Role, Account: ann.Account, Name: "reader", ARN: "arn:aws:sts::" + ann.Account + ":assumed-role/reader/s", ID: "AROA1:s",
		Role: "arn:aws:iam::" + ann.Account + ":role/reader", Policies: document(allS3), Session: document(readS3), Expires: &end,
	}
	cloud.Admit(session, role, "the token")
	token := []string{"x-amz-security-token: the token"}
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/k", body: "hello", status: 200},
		{who: session, method: "GET", path: "/pond/k", headers: token, status: 200},
		{who: session, method: "PUT", path: "/pond/k", body: "x", headers: token, status: 403, code: "AccessDenied"},
		{who: session, method: "GET", path: "/pond/k", headers: []string{"x-amz-security-token: another"}, status: 400, code: "InvalidToken"},
		{who: session, method: "GET", path: "/pond/k", status: 403, code: "InvalidAccessKeyId"},
		{method: "GET", path: "/pond/k", headers: token, status: 400, code: "InvalidToken"},
		// The role may be named, and so may the session.
		{method: "PUT", path: "/pond?policy", body: `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"AWS":"` + role.ARN + `"},"Action":"s3:DeleteObject","Resource":"arn:aws:s3:::pond/*"},
			{"Effect":"Deny","Principal":{"AWS":"` + role.Role + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::pond/secret"}]}`, status: 204},
		{who: session, method: "GET", path: "/pond/secret", headers: token, status: 403, code: "AccessDenied"},
		{who: session, method: "DELETE", path: "/pond/k", headers: token, status: 204},
	})
	past := time.Now().Add(-time.Second)
	role2 := *role
	role2.Expires = &past
	late := walrustest.User{Account: ann.Account, AccessKey: "ASIASESSIONSESSION22", Secret: "x"}
	cloud.Admit(late, &role2, "the token")
	play(t, w, []ask{
		{who: late, method: "GET", path: "/pond", headers: token, status: 400, code: "ExpiredToken"},
	})
}
