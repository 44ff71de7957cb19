package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetAccountSummaryInput is empty.
type GetAccountSummaryInput struct{}

// GetAccountSummaryOutput is what there is, by name.
type GetAccountSummaryOutput struct{ SummaryMap map[string]int }

var _ = action.Add(Catalog, action.Def[*API, GetAccountSummaryInput, GetAccountSummaryOutput]{
	Name: "GetAccountSummary",
	Doc:  "Counts what the account has of IAM, and tells how much it may have.",
	On:   action.Own[*API, GetAccountSummaryInput],
	Run:  getAccountSummary,
})

func getAccountSummary(ctx context.Context, api *API, who action.Caller, _ *GetAccountSummaryInput) (*GetAccountSummaryOutput, error) {
	out := &GetAccountSummaryOutput{}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		s, err := tx.IdentitySummary(who.Account)
		out.SummaryMap = map[string]int{
			"Users": s.Users, "Groups": s.Groups, "Roles": s.Roles, "InstanceProfiles": s.InstanceProfiles, "Providers": s.Providers,
			"Policies": s.Policies, "PolicyVersionsInUse": s.PolicyVersions, "ServerCertificates": s.ServerCertificates,
			"MFADevices": s.MFADevices, "MFADevicesInUse": s.MFADevicesInUse, "AccountMFAEnabled": min(s.RootMFADevices, 1),
			"AccountAccessKeysPresent": min(s.RootKeys, 1), "AccountSigningCertificatesPresent": min(s.RootSigningCertificates, 1), "AccountPasswordPresent": 0,
			"AccessKeysPerUserQuota": maxKeys, "GroupsPerUserQuota": maxGroups, "SigningCertificatesPerUserQuota": maxSigningCertificates,
			"AttachedPoliciesPerUserQuota": maxAttached, "AttachedPoliciesPerGroupQuota": maxAttached,
			"AttachedPoliciesPerRoleQuota": maxAttached, "UserPolicySizeQuota": inlineRoom["user"], "GroupPolicySizeQuota": inlineRoom["group"],
			"RolePolicySizeQuota": inlineRoom["role"], "GlobalEndpointTokenVersion": 2,
			"VersionsPerPolicyQuota": 5, "PolicySizeQuota": 6144, "AssumeRolePolicySizeQuota": 2048,
		}
		for member, name := range summaryQuotas {
			b, err := quota.OfAccount(tx, who.Account, name)
			if err != nil {
				return err
			}
			if b.Most != quota.None {
				out.SummaryMap[member] = int(b.Most)
			}
		}
		return err
	})
}

// summaryQuotas are the quotas that the summary tells.
var summaryQuotas = map[string]string{
	"UsersQuota": "iam:quota-usernumber", "GroupsQuota": "iam:quota-groupnumber", "RolesQuota": "iam:quota-rolenumber",
	"InstanceProfilesQuota": "iam:quota-instanceprofilenumber", "PoliciesQuota": "iam:quota-policynumber",
	"ServerCertificatesQuota": "iam:quota-servercertificatenumber",
}
