package iam

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/policy"
)

// PasswordPolicy is what the passwords of an account's users must be.
type PasswordPolicy struct {
	MinimumPasswordLength      int
	RequireSymbols             bool
	RequireNumbers             bool
	RequireUppercaseCharacters bool
	RequireLowercaseCharacters bool
	AllowUsersToChangePassword bool
	ExpirePasswords            bool
	MaxPasswordAge             *int // days
	PasswordReusePrevention    *int
	HardExpiry                 *bool

	mixed bool // at least three kinds of characters
}

const symbols = "!@#$%^&*()_+-=[]{}|'"

// rulesOf returns the policy of an account, or the one that holds without any.
func rulesOf(a *store.Account) (PasswordPolicy, error) {
	if a.PasswordPolicy == "" {
		return PasswordPolicy{MinimumPasswordLength: 8, mixed: true}, nil
	}
	var p PasswordPolicy
	err := json.Unmarshal([]byte(a.PasswordPolicy), &p)
	return p, err
}

// refuses says in which way a password is not what it must be, or "".
func (p *PasswordPolicy) refuses(password string) string {
	if strings.ContainsFunc(password, func(r rune) bool { return r > 0xff || r < ' ' && !strings.ContainsRune("\t\r\n", r) }) {
		return "it has characters that passwords may not have"
	}
	if n := p.MinimumPasswordLength; utf8.RuneCountInString(password) < n {
		return fmt.Sprintf("it must have at least %d characters", n)
	}
	kinds := 0
	for _, k := range []struct {
		wanted bool
		what   string
		is     func(r rune) bool
	}{
		{p.RequireUppercaseCharacters, "an upper case letter", func(r rune) bool { return 'A' <= r && r <= 'Z' }},
		{p.RequireLowercaseCharacters, "a lower case letter", func(r rune) bool { return 'a' <= r && r <= 'z' }},
		{p.RequireNumbers, "a digit", func(r rune) bool { return '0' <= r && r <= '9' }},
		{p.RequireSymbols, "one of " + symbols, func(r rune) bool { return strings.ContainsRune(symbols, r) }},
	} {
		has := strings.ContainsFunc(password, k.is)
		if has {
			kinds++
		}
		if k.wanted && !has {
			return "it must have " + k.what
		}
	}
	if p.mixed && kinds < 3 {
		return "it must have three of these: upper case letters, lower case letters, digits, symbols"
	}
	return ""
}

// expires returns when a password that was set then has to be changed; nil: never.
func (p *PasswordPolicy) expires(set time.Time) *time.Time {
	if p.MaxPasswordAge == nil {
		return nil
	}
	return ptr(set.AddDate(0, 0, *p.MaxPasswordAge))
}

// policyOf returns the policy that a request asks for; what it does not name is off.
func policyOf(in *UpdateAccountPasswordPolicyInput) PasswordPolicy {
	p := PasswordPolicy{
		MinimumPasswordLength: cmp.Or(val(in.MinimumPasswordLength), 6), RequireSymbols: val(in.RequireSymbols), RequireNumbers: val(in.RequireNumbers),
		RequireUppercaseCharacters: val(in.RequireUppercaseCharacters), RequireLowercaseCharacters: val(in.RequireLowercaseCharacters),
		AllowUsersToChangePassword: val(in.AllowUsersToChangePassword), ExpirePasswords: in.MaxPasswordAge != nil, MaxPasswordAge: in.MaxPasswordAge,
		PasswordReusePrevention: in.PasswordReusePrevention, HardExpiry: in.HardExpiry,
	}
	return p
}

func noPasswordPolicy(a *store.Account) error {
	return fault.New(fault.Missing, "NoSuchEntity", "The Password Policy with domain name %s cannot be found.", a.ID)
}

// forUsers lets the user that calls do what is asked for without a policy of its
// own, where the account lets its users change their passwords. What a policy
// denies stays denied.
func (t *things) forUsers(permission string) error {
	a, err := t.tx.Account(t.who.Account)
	if err != nil {
		return err
	}
	rules, err := rulesOf(a)
	if err != nil || !rules.AllowUsersToChangePassword || t.who.UserID == t.who.Account {
		return err
	}
	me, err := json.Marshal(t.who.ARN)
	if err != nil {
		return err
	}
	t.all[0].Policy, err = policy.Parse(fmt.Appendf(nil, `{"Statement":[{"Effect":"Allow","Principal":{"AWS":%s},"Action":%q,"Resource":"*"}]}`, me, permission), policy.Rules{Resource: true})
	return err
}
