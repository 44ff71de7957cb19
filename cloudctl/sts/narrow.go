package sts

import (
	"regexp"
	"slices"
	"strings"

	"karri/cloudctl/managed"
	"karri/cloudctl/session"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/policy"
)

const (
	maxPolicy   = 2048 // characters of a session policy and of the ARNs with it
	maxAttached = 10
	maxTags     = 50
)

var (
	nameForm     = regexp.MustCompile(`^[\w+=,.@-]+$`)
	tagKeyForm   = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$`)
	tagValueForm = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$`)
)

// PolicyDescriptorType names a managed policy.
type PolicyDescriptorType struct{ Arn *string }

// Tag is a label of a session.
type Tag struct {
	Key   string
	Value string
}

func validation(format string, args ...any) *fault.Fault {
	return fault.New(fault.Invalid, "ValidationError", format, args...)
}

// narrow puts the session policies that a request names into claims. The
// managed ones are of the account that the session is of.
func narrow(tx *store.Tx, c *session.Claims, document *string, arns []PolicyDescriptorType) error {
	size := len(val(document))
	if document != nil {
		if _, err := policy.Parse([]byte(*document), policy.Rules{}); err != nil {
			return fault.New(fault.Invalid, "MalformedPolicyDocument", "%s", fault.Of(err).Text)
		}
		c.Policies = []string{*document}
	}
	if len(arns) > maxAttached {
		return validation("A session has %d managed policies at most.", maxAttached)
	}
	for _, a := range arns {
		arn := val(a.Arn)
		if !strings.HasPrefix(arn, "arn:aws:iam::") || !strings.Contains(arn, ":policy/") {
			return validation("ARN %.100s is not valid.", arn)
		}
		if _, err := (managed.Policies{}).Attachable(tx, c.Account, arn); err != nil {
			return err
		}
		c.Attached = append(c.Attached, arn)
		size += len(arn)
	}
	if size > maxPolicy {
		return fault.New(fault.Invalid, "PackedPolicyTooLarge", "The session policy and the ARNs with it have %d characters, most is %d.", size, maxPolicy)
	}
	return nil
}

// label gives claims the tags of a request. Those that came down a chain may
// not be changed.
func label(c *session.Claims, tags []Tag, transitive []string) error {
	seen := map[string]bool{}
	for k := range c.Tags {
		seen[strings.ToLower(k)] = true
	}
	for _, t := range tags {
		folded := strings.ToLower(t.Key)
		switch {
		case seen[folded]:
			return fault.New(fault.Invalid, "InvalidParameterValue", "Duplicate tag keys found: %s. Tag keys have no case, and transitive tags of the session before cannot be changed.", t.Key)
		case strings.HasPrefix(folded, "aws:"):
			return validation("Tag keys that begin with aws: are reserved for system use.")
		case !tagKeyForm.MatchString(t.Key), !tagValueForm.MatchString(t.Value):
			return validation("The session tag %.130q is invalid. Tags may have letters, numbers, spaces and _.:/=+-@ only.", t.Key)
		}
		seen[folded] = true
		if c.Tags == nil {
			c.Tags = map[string]string{}
		}
		c.Tags[t.Key] = t.Value
	}
	if len(c.Tags) > maxTags {
		return validation("A session has %d tags at most.", maxTags)
	}
	for _, key := range transitive {
		if _, ok := c.Tags[key]; !ok {
			return fault.New(fault.Invalid, "InvalidParameterValue", "The transitive tag key %.130q is not one of the session tags.", key)
		}
		if !slices.Contains(c.Transitive, key) {
			c.Transitive = append(c.Transitive, key)
		}
	}
	return nil
}

// packed returns how much of the room of a token claims take, in percent, as
// answers show it: absent when they take none.
func packed(c *session.Claims) (*int, error) {
	percent, err := session.Packed(c)
	switch {
	case err != nil:
		return nil, err
	case percent > 100:
		return nil, fault.New(fault.Invalid, "PackedPolicyTooLarge", "The session's policies and tags together take %d%% of the room that they may have.", percent)
	case percent == 0:
		return nil, nil
	}
	return &percent, nil
}
