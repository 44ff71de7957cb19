package main

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"karri/shared/action"
)

// Groups of users are user-groups: a group is one of network rules.
var holders = []struct{ word, noun string }{{"User", "user"}, {"Group", "user-group"}, {"Role", "role"}}

func init() {
	for _, h := range holders {
		maps.Copy(renamed, map[string][2]string{
			"Put" + h.word + "Policy":                 {h.noun, "put-policy"},
			"Get" + h.word + "Policy":                 {h.noun, "get-policy"},
			"Delete" + h.word + "Policy":              {h.noun, "delete-policy"},
			"List" + h.word + "Policies":              {h.noun, "list-policies"},
			"Attach" + h.word + "Policy":              {h.noun, "attach-policy"},
			"Detach" + h.word + "Policy":              {h.noun, "detach-policy"},
			"ListAttached" + h.word + "Policies":      {h.noun, "list-attached-policies"},
			"Put" + h.word + "PermissionsBoundary":    {h.noun, "put-boundary"},
			"Delete" + h.word + "PermissionsBoundary": {h.noun, "delete-boundary"},
			"List" + h.word + "Tags":                  {h.noun, "list-tags"},
		})
	}
	for _, t := range []struct{ word, noun string }{
		{"Group", "user-group"}, {"InstanceProfile", "instance-profile"}, {"OpenIDConnectProvider", "oidc-provider"},
		{"VirtualMFADevice", "mfa"}, {"MFADevice", "mfa"}, {"ServerCertificate", "certificate"},
	} {
		for _, verb := range []string{"Create", "Get", "Update", "Upload", "Delete", "Tag", "Untag", "Enable", "Deactivate", "Resync"} {
			renamed[verb+t.word] = [2]string{t.noun, strings.ToLower(verb)}
		}
		renamed["List"+t.word+"s"] = [2]string{t.noun, "list"}
		renamed["List"+t.word+"Tags"] = [2]string{t.noun, "list-tags"}
	}
}

func init() {
	maps.Copy(renamed, map[string][2]string{
		"AddUserToGroup":                          {"user-group", "add-user"},
		"RemoveUserFromGroup":                     {"user-group", "remove-user"},
		"ListGroupsForUser":                       {"user", "list-groups"},
		"ChangePassword":                          {"user", "change-password"},
		"GetAccessKeyLastUsed":                    {"access-key", "last-used"},
		"ListMFADevices":                          {"user", "list-mfa"},
		"ListPolicies":                            {"policy", "list"},
		"ListPolicyTags":                          {"policy", "list-tags"},
		"CreatePolicyVersion":                     {"policy", "create-version"},
		"GetPolicyVersion":                        {"policy", "get-version"},
		"DeletePolicyVersion":                     {"policy", "delete-version"},
		"ListPolicyVersions":                      {"policy", "list-versions"},
		"SetDefaultPolicyVersion":                 {"policy", "set-default-version"},
		"ListEntitiesForPolicy":                   {"policy", "list-entities"},
		"SimulateCustomPolicy":                    {"policy", "simulate"},
		"SimulatePrincipalPolicy":                 {"policy", "simulate-principal"},
		"GetContextKeysForCustomPolicy":           {"policy", "get-context-keys"},
		"GetContextKeysForPrincipalPolicy":        {"policy", "get-context-keys-of-principal"},
		"UpdateAssumeRolePolicy":                  {"role", "update-trust"},
		"UpdateRoleDescription":                   {"role", "update-description"},
		"AssumeRole":                              {"role", "assume"},
		"AssumeRoleWithWebIdentity":               {"role", "assume-with-web-identity"},
		"ListInstanceProfilesForRole":             {"role", "list-instance-profiles"},
		"AddRoleToInstanceProfile":                {"instance-profile", "add-role"},
		"RemoveRoleFromInstanceProfile":           {"instance-profile", "remove-role"},
		"AddClientIDToOpenIDConnectProvider":      {"oidc-provider", "add-client"},
		"RemoveClientIDFromOpenIDConnectProvider": {"oidc-provider", "remove-client"},
		"UpdateOpenIDConnectProviderThumbprint":   {"oidc-provider", "update-thumbprint"},
		"ListAccountAliases":                      {"account", "list-aliases"},
		"GenerateCredentialReport":                {"account", "generate-credential-report"},
		"GetCredentialReport":                     {"account", "get-credential-report"},
		"AssociateIamInstanceProfile":             {"instance", "associate-profile"},
		"DisassociateIamInstanceProfile":          {"instance", "disassociate-profile"},
		"ReplaceIamInstanceProfileAssociation":    {"instance", "replace-profile"},
		"DescribeIamInstanceProfileAssociations":  {"instance", "describe-profile-associations"},
	})
}

func init() {
	maps.Copy(columns, map[string][]string{
		"user":                {"UserName", "UserId", "Path", "Arn", "CreateDate", "PasswordLastUsed"},
		"user-group":          {"GroupName", "GroupId", "Path", "Arn", "CreateDate"},
		"role":                {"RoleName", "RoleId", "Path", "Arn", "MaxSessionDuration", "CreateDate"},
		"policy":              {"Arn", "PolicyName", "PolicyId", "DefaultVersionId", "AttachmentCount", "UpdateDate"},
		"access-key":          {"AccessKeyId", "UserName", "Status", "CreateDate", "SecretAccessKey"},
		"instance-profile":    {"InstanceProfileName", "InstanceProfileId", "Path", "Arn", "Roles.0.RoleName", "CreateDate"},
		"mfa":                 {"SerialNumber", "User.UserName", "EnableDate", "Base32StringSeed"},
		"certificate":         {"ServerCertificateName", "ServerCertificateId", "Path", "Arn", "Expiration"},
		"signing-certificate": {"CertificateId", "UserName", "Status", "UploadDate"},
		"account":             {"AccountId", "Name", "Alias", "State", "Created"},
	})
}

// whatActsOn names the parameter that the word behind the verb stands for,
// where the table's first column does not.
var whatActsOn = map[string][]string{
	"policy":        {"PolicyArn", "PolicyName"},
	"mfa":           {"SerialNumber", "VirtualMFADeviceName"},
	"oidc-provider": {"OpenIDConnectProviderArn", "Url"},
	"access-key":    {"AccessKeyId"},
	"account":       {"AccountId", "AccountAlias"},
}

// files are the texts that may be given as @FILE.
var files = []string{"PolicyDocument", "AssumeRolePolicyDocument", "PolicyInputList", "Policy", "CertificateBody", "CertificateChain", "PrivateKey", "WebIdentityToken"}

// shorten lets fs take --user for --user-name, and --name for that of the noun,
// where nothing else is called so.
func shorten(fs *pflag.FlagSet, page action.ManualPage, noun string) {
	short := map[string]string{}
	for _, p := range page.Params {
		name := kebab(p.Name)
		if before, ok := strings.CutSuffix(name, "-name"); ok {
			short[before] = name
			if pos := positional(noun, page); pos != nil && pos.Name == p.Name {
				short["name"] = name
			}
		}
	}
	maps.DeleteFunc(short, func(s, _ string) bool { return fs.Lookup(s) != nil })
	fs.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if long, ok := short[name]; ok {
			name = long
		}
		return pflag.NormalizedName(name)
	})
}

// hasTags reports whether p is a list of tags.
func hasTags(p action.Param) bool {
	named := func(name string) bool {
		return slices.ContainsFunc(p.Parts, func(part action.Param) bool { return part.Name == name })
	}
	return p.Name == "Tags" && named("Key") && named("Value")
}

// readable makes text of what an answer has encoded: the documents of policies,
// the seed of a device. It takes the picture of a seed away.
func readable(row map[string]any) map[string]any {
	row = maps.Clone(row)
	for name, v := range row {
		text, ok := v.(string)
		switch {
		case ok && (name == "Document" || strings.HasSuffix(name, "PolicyDocument")):
			if plain, err := url.PathUnescape(text); err == nil {
				row[name] = plain
			}
		case ok && (name == "Base32StringSeed" || name == "Content"):
			if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
				row[name] = string(plain)
			}
		case name == "QRCodePNG":
			delete(row, name)
		}
	}
	return row
}

// inner returns the one thing that an answer holds: the user of GetUser.
func inner(out map[string]any) map[string]any {
	if len(out) != 1 {
		return out
	}
	for _, v := range out {
		if m, ok := v.(map[string]any); ok {
			return m
		}
	}
	return out
}

// flat puts the plain members of the parts of an answer beside its own: when a
// key was used beside whose it is.
func flat(row map[string]any) map[string]any {
	out := maps.Clone(row)
	for _, v := range row {
		part, _ := v.(map[string]any)
		for name, v := range part {
			if _, taken := out[name]; !taken && v != nil && !isPart(v) {
				out[name] = v
			}
		}
	}
	return out
}

func isPart(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// counted returns a row for each name of an answer that is a map of numbers.
func counted(page action.ManualPage, out map[string]any) []map[string]any {
	if page.Name != "GetAccountSummary" {
		return nil
	}
	m, _ := out["SummaryMap"].(map[string]any)
	var rows []map[string]any
	for _, name := range slices.Sorted(maps.Keys(m)) {
		rows = append(rows, map[string]any{"Name": name, "Value": m[name]})
	}
	return rows
}

// credentialsOf returns the part of an answer that lets somebody in.
func credentialsOf(out map[string]any) map[string]any {
	for _, v := range out {
		if m, ok := v.(map[string]any); ok && at(m, "SecretAccessKey") != "" {
			return m
		}
	}
	return out
}
