package iam

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"sync"
	"time"

	"karri/cloudctl/store"
	"karri/shared/fault"
)

const (
	reportLife = 4 * time.Hour
	maxReports = 10_000
)

// reports remembers when accounts asked for a report. What is reported is read
// when the report is fetched, so that there is nothing to keep; after a start
// of the daemon a report has to be asked for again.
type reports struct {
	mu    sync.Mutex
	asked map[string]time.Time
}

// start notes that a report was asked for, and tells whether it is a new one.
func (r *reports) start(account string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.asked[account]; ok && now.Sub(at) < reportLife {
		return false
	}
	if r.asked == nil || len(r.asked) >= maxReports {
		r.asked = map[string]time.Time{}
	}
	r.asked[account] = now
	return true
}

// check refuses to show a report that was not asked for or is too old.
func (r *reports) check(account string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.asked[account]
	switch {
	case !ok:
		return fault.New(fault.Missing, "ReportNotPresent", "No report is present. Call GenerateCredentialReport first.")
	case now.Sub(at) >= reportLife:
		return fault.New(fault.Missing, "ReportExpired", "The credential report has expired. Call GenerateCredentialReport again.")
	}
	return nil
}

var reportHead = []string{"user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
	"password_next_rotation", "mfa_active",
	"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
	"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service",
	"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated"}

const na = "N/A"

// credentials is what the users of an account show who they are with, by user;
// "" is the account itself.
type credentials struct {
	rules  PasswordPolicy
	logins map[string]store.LoginProfile
	keys   map[string][]store.AccessKey
	certs  map[string][]store.SigningCertificate
	mfa    map[string]bool
}

// credentialReport writes the report of an account.
func credentialReport(tx *store.Tx, account string) ([]byte, error) {
	a, err := tx.Account(account)
	if err != nil {
		return nil, err
	}
	c, err := credentialsOf(tx, a)
	if err != nil {
		return nil, err
	}
	users, err := tx.Users(account, "", "", 0)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{reportHead, c.row("", "<root_account>", "arn:aws:iam::"+a.ID+":root", a.Created)}
	for _, u := range users {
		rows = append(rows, c.row(u.ID, u.Name, u.ARN(), u.Created))
	}
	err = w.WriteAll(rows)
	return b.Bytes(), err
}

func credentialsOf(tx *store.Tx, a *store.Account) (*credentials, error) {
	c := &credentials{logins: map[string]store.LoginProfile{}, keys: map[string][]store.AccessKey{}, certs: map[string][]store.SigningCertificate{}, mfa: map[string]bool{}}
	var err error
	if c.rules, err = rulesOf(a); err != nil {
		return nil, err
	}
	logins, err := tx.LoginProfiles(a.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range logins {
		c.logins[p.User] = p
	}
	keys, err := tx.AccessKeysOf(a.ID)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(keys, func(a, b store.AccessKey) int { return a.Created.Compare(b.Created) })
	for _, k := range keys {
		c.keys[k.User] = append(c.keys[k.User], k)
	}
	certs, err := tx.SigningCertificates(a.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range certs {
		c.certs[s.User] = append(c.certs[s.User], s)
	}
	devices, err := tx.MFADevices(a.ID)
	for _, d := range devices {
		if d.Holder == a.ID {
			d.Holder = ""
		} else if d.Holder == "" {
			continue
		}
		c.mfa[d.Holder] = true
	}
	return c, err
}

// row is the line of a user; "" is the account itself, which has no password.
func (c *credentials) row(user, name, arn string, created time.Time) []string {
	row := append([]string{name, arn, stamp(&created)}, c.password(user)...)
	row = append(row, strconv.FormatBool(c.mfa[user]))
	for i := range 2 {
		if i >= len(c.keys[user]) {
			row = append(row, "false", na, na, na, na)
			continue
		}
		k := c.keys[user][i]
		used := []string{na, na, na}
		if k.Used != nil {
			used = []string{stamp(k.Used), k.UsedRegion, k.UsedService}
		}
		row = append(append(row, strconv.FormatBool(k.Active), stamp(&k.Created)), used...)
	}
	for i := range 2 {
		if i >= len(c.certs[user]) {
			row = append(row, "false", na)
			continue
		}
		s := c.certs[user][i]
		row = append(row, strconv.FormatBool(s.Active), stamp(&s.Created))
	}
	return row
}

func (c *credentials) password(user string) []string {
	if user == "" {
		return []string{"not_supported", "not_supported", "not_supported", "not_supported"}
	}
	p, ok := c.logins[user]
	if !ok {
		return []string{"false", na, na, na}
	}
	used, next := "no_information", na
	if p.Used != nil {
		used = stamp(p.Used)
	}
	if end := c.rules.expires(p.Changed); end != nil {
		next = stamp(end)
	}
	return []string{"true", used, stamp(&p.Changed), next}
}

// stamp writes a time as the report has it: 2026-01-02T15:04:05+00:00.
func stamp(at *time.Time) string { return at.UTC().Format("2006-01-02T15:04:05+00:00") }
