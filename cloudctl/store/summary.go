package store

import "fmt"

// An IdentitySummary is how much of IAM an account has.
type IdentitySummary struct {
	Users, Groups, Roles, InstanceProfiles, Providers int
	Policies, PolicyVersions, ServerCertificates      int
	MFADevices, MFADevicesInUse                       int
	RootKeys, RootMFADevices, RootSigningCertificates int
}

// IdentitySummary counts what an account has.
func (t *Tx) IdentitySummary(account string) (IdentitySummary, error) {
	var s IdentitySummary
	for _, c := range []struct {
		to           *int
		table, where string
	}{
		{&s.Users, "users", "TRUE"},
		{&s.Groups, "user_groups", "TRUE"},
		{&s.Roles, "roles", "TRUE"},
		{&s.InstanceProfiles, "instance_profiles", "TRUE"},
		{&s.Providers, "oidc_providers", "TRUE"},
		{&s.Policies, "policies", "TRUE"},
		{&s.PolicyVersions, "policy_versions", "TRUE"},
		{&s.ServerCertificates, "server_certificates", "TRUE"},
		{&s.MFADevices, "mfa_devices", "TRUE"},
		{&s.MFADevicesInUse, "mfa_devices", "holder <> ''"},
		{&s.RootKeys, "access_keys", "user = ''"},
		{&s.RootMFADevices, "mfa_devices", "holder = account"},
		{&s.RootSigningCertificates, "signing_certificates", "user = ''"},
	} {
		var n int64
		if err := t.g.Table(c.table).Where("account = ? AND "+c.where, account).Count(&n).Error; err != nil {
			return s, fmt.Errorf("count %s: %w", c.table, err)
		}
		*c.to = int(n)
	}
	return s, nil
}
