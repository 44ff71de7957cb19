package sts

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"

	"karri/cloudctl/federation"
	"karri/cloudctl/federation/issuertest"
)

// issuers reach the test's own host.
func issuers() *federation.Issuers {
	return &federation.Issuers{Clock: time.Now, Reach: func(string) error { return nil }}
}

// register makes an issuer a provider of the account, and returns its ARN.
func (w *world) register(i *issuertest.Issuer) string {
	w.t.Helper()
	p := i.Provider()
	return *do(w, w.iam(w.root).CreateOpenIDConnectProvider, &awsiam.CreateOpenIDConnectProviderInput{
		Url: &i.URL, ClientIDList: p.Clients, ThumbprintList: p.Thumbprints}).OpenIDConnectProviderArn
}

func TestARoleIsTakenByWebIdentity(t *testing.T) {
	w := newWorld(t, issuers())
	idp, stranger := issuertest.New(t), issuertest.New(t)
	provider, host := w.register(idp), strings.TrimPrefix(idp.URL, "https://")
	federated := `{"Federated":"` + provider + `"}`
	sub := func(s string) string {
		return `{"StringLike":{"` + host + `:sub":"` + s + `"},"StringEquals":{"` + host + `:aud":"sts.amazonaws.com"}}`
	}
	arn := w.role("ci", trust(federated, sub("job-*")), allowAll)
	w.role("prod", trust(federated, sub("release-*")), allowAll)
	w.role("people", trust(`{"AWS":"`+w.account+`"}`, ""), allowAll)
	byTag := strings.Replace(onlyRoles, `"Resource":"*"`, `"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red","aws:FederatedProvider":"`+provider+`","aws:SourceIdentity":"ann"}}`, 1)
	w.role("tagged", trust(federated, ""), byTag)
	nobody := w.sts(keys{}) // the call is not signed
	ask := func(role, token string) *awssts.AssumeRoleWithWebIdentityInput {
		at := strings.Replace(arn, "/ci", "/"+role, 1)
		return &awssts.AssumeRoleWithWebIdentityInput{RoleArn: &at, RoleSessionName: aws.String("run-7"), WebIdentityToken: &token}
	}
	out := do(w, nobody.AssumeRoleWithWebIdentity, ask("ci", idp.Token(t, nil)))
	if *out.SubjectFromWebIdentityToken != "job-42" || *out.Audience != "sts.amazonaws.com" || *out.Provider != provider ||
		*out.AssumedRoleUser.Arn != "arn:aws:sts::"+w.account+":assumed-role/ci/run-7" {
		t.Errorf("%+v", out)
	}
	w.sees(of(out.Credentials), true, true)
	narrow := ask("ci", idp.Token(t, nil))
	narrow.Policy = aws.String(onlyRoles)
	w.sees(of(do(w, nobody.AssumeRoleWithWebIdentity, narrow).Credentials), false, true)
	w.sees(of(do(w, nobody.AssumeRoleWithWebIdentity, ask("tagged", idp.Token(t, map[string]any{
		"https://aws.amazon.com/tags":            map[string]any{"principal_tags": map[string]any{"team": []string{"red"}}},
		"https://aws.amazon.com/source_identity": "ann",
	}))).Credentials), false, true)
	for _, c := range []struct{ what, role, token, code string }{
		{"another subject", "prod", idp.Token(t, nil), "AccessDenied"},
		{"a role that trusts users", "people", idp.Token(t, nil), "AccessDenied"},
		{"no role", "none", idp.Token(t, nil), "AccessDenied"},
		{"another issuer", "ci", stranger.Token(t, nil), "InvalidIdentityToken"},
		{"another audience", "ci", idp.Token(t, map[string]any{"aud": "other"}), "InvalidIdentityToken"},
		{"an audience that the role does not trust", "ci", idp.Token(t, map[string]any{"aud": "app"}), "AccessDenied"},
		{"expired", "ci", idp.Token(t, map[string]any{"exp": 1}), "ExpiredTokenException"},
		{"no token", "ci", "none", "InvalidIdentityToken"},
	} {
		t.Run(c.what, func(t *testing.T) { refused(w, nobody.AssumeRoleWithWebIdentity, ask(c.role, c.token), c.code) })
	}
	do(w, w.iam(w.root).DeleteOpenIDConnectProvider, &awsiam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &provider})
	refused(w, nobody.AssumeRoleWithWebIdentity, ask("ci", idp.Token(t, nil)), "InvalidIdentityToken")
}
