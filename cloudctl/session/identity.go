package session

import (
	"karri/cloudctl/managed"
	"karri/cloudctl/rights"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/identity"
)

// nothing is what a session that was narrowed to nothing has: a policy that
// allows only what needs no right.
const nothing = `{"Version":"2012-10-17","Statement":[{"Sid":"NothingWasGiven","Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}]}`

// everything is what the account itself may, for sessions that are not it.
const everything = `{"Version":"2012-10-17","Statement":[{"Sid":"TheAccount","Effect":"Allow","Action":"*","Resource":"*"}]}`

// notIAM is why the sessions of users, unless a second factor was shown, and
// those of federated users manage no identities.
const notIAM = `{"Version":"2012-10-17","Statement":[{"Sid":"SessionsManageNoIdentities","Effect":"Deny","Action":"iam:*","Resource":"*"}]}`

// notSTS is why the sessions of users ask STS for nothing but another role and
// who they are, and notRoles why those of federated users do not even get a role.
// See GetSessionToken and GetFederationToken in the API reference of STS.
const (
	notSTS   = `{"Version":"2012-10-17","Statement":[{"Sid":"SessionsMakeNoSessions","Effect":"Deny","Action":["sts:Decode*","sts:GetAccessKeyInfo","sts:GetFederationToken"],"Resource":"*"}]}`
	notRoles = `{"Version":"2012-10-17","Statement":[{"Sid":"FederatedUsersTakeNoRoles","Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}]}`
)

// identity reads whom a session stands for. The fault Missing says that the
// account, user or role is gone or suspended, and the session with it.
func (d *Desk) identity(tx *store.Tx, c *Claims) (*identity.Identity, error) {
	a, err := tx.Account(c.Account)
	if err != nil {
		return nil, err
	}
	if a.State != store.AccountActive {
		return nil, fault.New(fault.Missing, "NoSuchEntity", "The account %s is not active.", c.Account)
	}
	i, err := d.holder(tx, a, c)
	if err != nil {
		return nil, err
	}
	switch c.Kind {
	case identity.Role:
		i.ARN, i.ID = SessionARN(c.Account, i.Name, c.Name), i.ID+":"+c.Name
	case identity.Federated:
		if i.Kind == identity.Root {
			i.Policies = append(i.Policies, identity.Document{Name: "root", Text: everything})
		}
		if i.Kind == identity.User {
			i.Holder = i.ID
		}
		i.Kind, i.Name, i.ARN, i.ID = identity.Federated, c.Name, FederatedARN(c.Account, c.Name), c.Account+":"+c.Name
	}
	if i.Kind != identity.Role {
		i.Policies = append(i.Policies, identity.Document{Name: "session", Text: notSTS})
	}
	if i.Kind == identity.Federated {
		i.Policies = append(i.Policies, identity.Document{Name: "session", Text: notRoles})
	}
	if i.Kind == identity.Federated || i.Kind != identity.Role && c.MFA == nil {
		i.Policies = append(i.Policies, identity.Document{Name: "session", Text: notIAM})
	}
	i.SessionTags, i.Transitive, i.Source, i.Provider, i.MFA = c.Tags, c.Transitive, c.Source, c.Provider, c.MFA
	i.Issued, i.Expires = &c.Issued, &c.Expires
	return i, d.narrow(tx, i, c)
}

// holder reads the account, user or role whose rights the session has.
func (d *Desk) holder(tx *store.Tx, a *store.Account, c *Claims) (*identity.Identity, error) {
	switch {
	case c.Kind == identity.Role:
		r, err := tx.RoleByID(c.Holder)
		if err != nil {
			return nil, err
		}
		if r.Account != a.ID {
			return nil, fault.New(fault.Missing, "NoSuchEntity", "The role is not of the account.")
		}
		return rights.Role(tx, a, r)
	case c.Holder == a.ID:
		return rights.Root(tx, a)
	}
	u, err := tx.UserByID(c.Holder)
	if err != nil {
		return nil, err
	}
	if u.Account != a.ID {
		return nil, fault.New(fault.Missing, "NoSuchEntity", "The user is not of the account.")
	}
	return rights.User(tx, a, u)
}

// narrow adds the session policies. A managed one that is gone gives nothing; a
// federated user has nothing but what they give.
func (d *Desk) narrow(tx *store.Tx, i *identity.Identity, c *Claims) error {
	for _, text := range c.Policies {
		i.Session = append(i.Session, identity.Document{Name: "session", Text: text})
	}
	for _, arn := range c.Attached {
		doc, err := managed.Document(tx, arn)
		if fault.KindOf(err) == fault.Missing {
			continue
		}
		if err != nil {
			return err
		}
		i.Session = append(i.Session, doc)
	}
	if len(i.Session) == 0 && (len(c.Attached) > 0 || c.Kind == identity.Federated) {
		i.Session = []identity.Document{{Name: "nothing", Text: nothing}}
	}
	return nil
}

// SessionARN names a session of a role.
func SessionARN(account, role, name string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name
}

// FederatedARN names a federated user.
func FederatedARN(account, name string) string {
	return "arn:aws:sts::" + account + ":federated-user/" + name
}
