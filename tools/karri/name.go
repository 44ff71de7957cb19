package main

import (
	"strings"
	"unicode"
)

// nouns maps the words of action names to the nouns of the command line, the
// longest first. A noun that is not listed is its word in kebab form.
var nouns = []struct{ words, noun string }{
	{"SecurityGroupRuleDescriptionsIngress", "rule"},
	{"SecurityGroupRuleDescriptionsEgress", "rule"},
	{"SecurityGroupIngress", "group"},
	{"SecurityGroupEgress", "group"},
	{"SecurityGroupRules", "rule"},
	{"InstanceMetadataOptions", "instance"},
	{"InstanceTypeOfferings", "offering"},
	{"AvailabilityZones", "zone"},
	{"InternetGateway", "gateway"},
	{"NetworkInterface", "interface"},
	{"AccountAttributes", "attribute"},
	{"CallerIdentity", "identity"},
	{"SecurityGroup", "group"},
	{"ConsoleOutput", "instance"},
	{"InstanceStatus", "instance"},
	{"InstanceTypes", "type"},
	{"DhcpOptions", "dhcp"},
	{"NetworkAcl", "acl"},
	{"RouteTable", "route-table"},
	{"JoinToken", "token"},
	{"RootKey", "key"},
	{"KeyPair", "key"},
	{"Instance", "instance"},
	{"Snapshot", "snapshot"},
	{"Component", "component"},
	{"Cluster", "cluster"},
	{"Address", "address"},
	{"Account", "account"},
	{"Volume", "volume"},
	{"Subnet", "subnet"},
	{"Region", "region"},
	{"Image", "image"},
	{"Zone", "zone"},
	{"Node", "node"},
	{"Tag", "tag"},
	{"Vpc", "vpc"},
}

// renamed gives the actions whose verb would read badly a better one.
var renamed = map[string][2]string{
	"GetConsoleOutput":                              {"instance", "console"},
	"DescribeInstanceStatus":                        {"instance", "status"},
	"AuthorizeSecurityGroupIngress":                 {"group", "authorize-ingress"},
	"AuthorizeSecurityGroupEgress":                  {"group", "authorize-egress"},
	"RevokeSecurityGroupIngress":                    {"group", "revoke-ingress"},
	"RevokeSecurityGroupEgress":                     {"group", "revoke-egress"},
	"GetCallerIdentity":                             {"identity", "get"},
	"UpdateSecurityGroupRuleDescriptionsIngress":    {"rule", "describe-ingress-as"},
	"UpdateSecurityGroupRuleDescriptionsEgress":     {"rule", "describe-egress-as"},
	"ModifyInstanceMetadataOptions":                 {"instance", "modify-metadata"},
	"SetBucketQuota":                                {"bucket", "quota"},
	"SetAccountQuota":                               {"account", "quota"},
	"GetAccountUsage":                               {"account", "usage"},
	"ListBuckets":                                   {"bucket", "describe"},
	"GetTrailStatus":                                {"trail", "status"},
	"StartLogging":                                  {"trail", "start"},
	"StopLogging":                                   {"trail", "stop"},
	"GetEventSelectors":                             {"trail", "selectors"},
	"GetAWSDefaultServiceQuota":                     {"service-quota", "get-default"},
	"ListAWSDefaultServiceQuotas":                   {"service-quota", "list-defaults"},
	"GetRequestedServiceQuotaChange":                {"service-quota", "get-request"},
	"ListRequestedServiceQuotaChangeHistory":        {"service-quota", "list-requests"},
	"ListRequestedServiceQuotaChangeHistoryByQuota": {"service-quota", "list-requests-of"},
	"PutAccountPolicy":                              {"account policy", "put"},
	"GetAccountPolicy":                              {"account policy", "get"},
	"ListAccountPolicies":                           {"account policy", "list"},
	"DeleteAccountPolicy":                           {"account policy", "delete"},
	"ListQuotaRequests":                             {"quota request", "list"},
	"ApproveQuotaRequest":                           {"quota request", "approve"},
	"DenyQuotaRequest":                              {"quota request", "deny"},
	"RequestServiceQuotaIncrease":                   {"quota request", "create"},
}

// command returns the noun and verb of an action: RunInstances is instance run,
// CreateKeyPair key create, DescribeVolumeStatus volume describe-status.
func command(action string) (noun, verb string) {
	if r, ok := renamed[action]; ok {
		return r[0], r[1]
	}
	first := firstWord(action)
	rest := action[len(first):]
	verb = strings.ToLower(first)
	for _, n := range nouns {
		if after, ok := strings.CutPrefix(rest, n.words); ok {
			after = strings.TrimPrefix(strings.TrimPrefix(after, "es"), "s")
			if after != "" {
				verb += "-" + kebab(after)
			}
			return n.noun, verb
		}
	}
	return strings.TrimSuffix(kebab(rest), "s"), verb
}

func firstWord(s string) string {
	for i, r := range s {
		if i > 0 && unicode.IsUpper(r) {
			return s[:i]
		}
	}
	return s
}

// kebab writes CamelCase as camel-case, a run of capitals as one word.
func kebab(s string) string {
	var b strings.Builder
	rs := []rune(s)
	for i, r := range rs {
		boundary := i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1]))
		if boundary {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
