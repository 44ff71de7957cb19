package access

import (
	"slices"
	"strings"
)

// grantHeaders are the headers that give permissions.
var grantHeaders = []struct {
	name       string
	permission Permission
}{
	{"x-amz-grant-full-control", FullControl}, {"x-amz-grant-read", Read}, {"x-amz-grant-read-acp", ReadACP},
	{"x-amz-grant-write", Write}, {"x-amz-grant-write-acp", WriteACP},
}

// Asked reads the list that headers ask for, by name or by grants; nil when
// they ask for none. get answers a header's values, joined by commas. The owner
// and the owner of the bucket are accounts.
func Asked(get func(name string) string, owner, bucketOwner string, object bool) (*ACL, error) {
	acl := &ACL{Owner: Canonical(owner)}
	for _, h := range grantHeaders {
		grants, err := parseGrants(get(h.name), h.permission)
		if err != nil {
			return nil, err
		}
		acl.Grants = append(acl.Grants, grants...)
	}
	name := get("x-amz-acl")
	switch {
	case name != "" && len(acl.Grants) > 0:
		return nil, invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
	case name == "" && len(acl.Grants) == 0:
		return nil, nil
	case name == "":
		return acl, acl.check()
	}
	canned, ok := Canned(name, owner, bucketOwner, object)
	if !ok {
		return nil, invalidArgument("The canned ACL '%s' is not valid here.", name)
	}
	return canned, nil
}

// parseGrants reads the grantees of one header: id="...", uri="...".
func parseGrants(value string, p Permission) ([]Grant, error) {
	if strings.TrimSpace(value) == "" {
		return nil, nil
	}
	var all []Grant
	for part := range strings.SplitSeq(value, ",") {
		kind, v, ok := strings.Cut(strings.TrimSpace(part), "=")
		v = strings.Trim(strings.TrimSpace(v), `"'`)
		g := Grant{Permission: p}
		switch kind = strings.ToLower(strings.TrimSpace(kind)); {
		case ok && kind == "id":
			g.ID = v
		case ok && kind == "uri":
			g.Group = v
		case ok && kind == "emailaddress":
			return nil, NoSuchAddress
		default:
			return nil, invalidArgument("Argument format not recognized: %s", part)
		}
		all = append(all, g)
	}
	return all, nil
}

// check refuses grants to what is neither an account nor a group.
func (a *ACL) check() error {
	if len(a.Grants) > maxGrants {
		return invalidRequest("An access control list has at most %d grants.", maxGrants)
	}
	for _, g := range a.Grants {
		switch {
		case g.Group != "" && !slices.Contains(groups, g.Group):
			return invalidArgument("Invalid group uri")
		case g.Group == "" && !isCanonical(g.ID):
			return invalidArgument("Invalid id")
		}
	}
	return nil
}

func isCanonical(id string) bool { return len(id) == 64 && strings.Trim(id, "0123456789abcdef") == "" }
