package session

import (
	"time"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/policy"
)

// ForService gives a service of the cloud a session of a role that trusts it:
// ec2.amazonaws.com for the role of an instance, whose id is the name.
func (d *Desk) ForService(r *store.Role, service, name string, life time.Duration) (Credentials, error) {
	trust, err := policy.Parse([]byte(r.Trust), policy.Rules{Trust: true})
	if err != nil {
		return Credentials{}, err
	}
	asked := &policy.Request{
		Principal: policy.Principal{Service: service}, Action: "sts:AssumeRole", Resource: r.ARN(), Owner: r.Account,
		Keys: func(key string) []string {
			switch key {
			case "sts:rolesessionname":
				return []string{name}
			case "aws:sourceaccount", "aws:principalaccount":
				return []string{r.Account}
			}
			return nil
		},
	}
	if !policy.Evaluate(asked, &policy.Policies{Resource: trust}).Allowed {
		return Credentials{}, fault.New(fault.Denied, "AccessDenied", "The role %s does not trust %s.", r.Name, service)
	}
	return d.Issue(Claims{Kind: identity.Role, Account: r.Account, Holder: r.ID, Name: name}, life)
}
