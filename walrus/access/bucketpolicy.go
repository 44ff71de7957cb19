package access

import (
	"net/netip"
	"slices"
	"strings"

	"karri/shared/fault"
	"karri/shared/policy"
)

// MaxPolicy is how long the policy of a bucket may be.
const MaxPolicy = 20 << 10

const arnPrefix = "arn:aws:s3:::"

// ARN returns the name of a bucket or, with a key, of an object in policies.
func ARN(bucket, key string) string {
	if key == "" {
		return arnPrefix + bucket
	}
	return arnPrefix + bucket + "/" + key
}

// A Policy is the policy of a bucket.
type Policy struct {
	*policy.Policy
	Public bool // it lets more than named accounts or places in
}

// ParsePolicy reads the policy of a bucket and refuses one that speaks of other
// things than the bucket and its objects.
func ParsePolicy(doc []byte, bucket string) (*Policy, error) {
	if len(doc) > MaxPolicy {
		return nil, fault.New(fault.Invalid, policy.Malformed, "Policies must be no longer than %d bytes.", MaxPolicy)
	}
	p, err := policy.Parse(doc, policy.Rules{Resource: true})
	if err != nil {
		return nil, err
	}
	for _, s := range p.Statements {
		if err := fits(s, bucket); err != nil {
			return nil, err
		}
	}
	return &Policy{Policy: p, Public: slices.ContainsFunc(p.Statements, public)}, nil
}

func bad(s *policy.Statement, text string) error {
	return fault.New(fault.Invalid, policy.Malformed, "Statement[%d]: %s", s.Index, text)
}

// fits refuses a statement about things that the bucket's policy cannot rule.
func fits(s *policy.Statement, bucket string) error {
	ofBucket, ofObjects := false, false
	for _, r := range s.Resources {
		rest, ok := strings.CutPrefix(r, arnPrefix)
		name, _, object := strings.Cut(rest, "/")
		if !ok || name == "" || !within(name, bucket) {
			return bad(s, "Policy has invalid resource: "+r)
		}
		// A wildcard at the end of the bucket's name means its objects too.
		ofObjects = ofObjects || object || strings.HasSuffix(name, "*")
		ofBucket = ofBucket || !object
	}
	applies := s.NotAction || s.NotResource
	for _, a := range s.Actions {
		onBucket, onObject := actionsLike(a)
		if !onBucket && !onObject {
			return bad(s, "Policy has invalid action: "+a)
		}
		applies = applies || onBucket && ofBucket || onObject && ofObjects
		if !applies && !s.NotAction {
			return bad(s, "Action does not apply to any resource(s) in statement")
		}
		applies = s.NotAction || s.NotResource
	}
	return nil
}

// within reports whether the bucket part of a resource means this bucket.
func within(name, bucket string) bool {
	if !strings.ContainsAny(name, "*?$") {
		return name == bucket
	}
	return policy.Matches(name, bucket)
}

// actionsLike reports whether a pattern means an action on buckets, on objects.
func actionsLike(pattern string) (onBucket, onObject bool) {
	low := strings.ToLower(pattern)
	match := func(all []string) bool {
		return slices.ContainsFunc(all, func(a string) bool { return policy.Matches(low, "s3:"+strings.ToLower(a)) })
	}
	return match(bucketActions), match(objectActions)
}

// public reports whether a statement lets everyone in: it allows, it means
// everyone, and no condition ties it to a fixed account, place or thing.
func public(s *policy.Statement) bool {
	if s.Deny || !slices.ContainsFunc(s.Principals, policy.PrincipalRef.Everyone) {
		return false
	}
	return !slices.ContainsFunc(s.Conditions, ties)
}

// fixing are the keys that a value without wildcards ties to something.
var fixing = []string{
	"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:sourcearn", "aws:sourceaccount",
	"aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip", "aws:userid", "aws:username", "aws:sourceorgid",
	"s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id",
}

var fixingOperators = []string{"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"}

// ties reports whether a condition lets only fixed values through.
func ties(c *policy.Condition) bool {
	key := strings.ToLower(c.Key)
	if c.IfExists || c.Set == "ForAllValues" || !slices.Contains(fixing, key) || !slices.Contains(fixingOperators, c.Operator) {
		return false
	}
	for _, v := range c.Values {
		switch {
		case c.Operator == "IpAddress":
			if r, err := policy.ParseRange(v); err != nil || wide(r) {
				return false
			}
		case strings.Contains(v, "${"), strings.ContainsAny(v, "*?") && (key != "aws:principalarn" && key != "aws:sourcearn" || !fixedAccount(v)):
			return false
		}
	}
	return true
}

// fixedAccount reports whether an ARN names its account.
func fixedAccount(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && len(parts[4]) == 12 && strings.Trim(parts[4], "0123456789") == ""
}

// wide reports whether a range of addresses is as good as all of them.
func wide(r netip.Prefix) bool {
	if r.Addr().Is4() {
		return r.Bits() < 8
	}
	return r.Bits() < 32
}

// The actions that a bucket's policy may name, without "s3:".
var bucketActions = []string{
	"CreateBucket", "DeleteBucket", "DeleteBucketOwnershipControls", "DeleteBucketPolicy", "DeleteBucketWebsite",
	"GetAccelerateConfiguration", "GetAnalyticsConfiguration", "GetBucketAcl", "GetBucketCORS", "GetBucketLocation", "GetBucketLogging",
	"GetBucketNotification", "GetBucketObjectLockConfiguration", "GetBucketOwnershipControls", "GetBucketPolicy", "GetBucketPolicyStatus",
	"GetBucketPublicAccessBlock", "GetBucketRequestPayment", "GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite",
	"GetEncryptionConfiguration", "GetIntelligentTieringConfiguration", "GetInventoryConfiguration", "GetLifecycleConfiguration",
	"GetMetricsConfiguration", "GetReplicationConfiguration", "ListBucket", "ListBucketMultipartUploads", "ListBucketVersions",
	"PutAccelerateConfiguration", "PutAnalyticsConfiguration", "PutBucketAcl", "PutBucketCORS", "PutBucketLogging", "PutBucketNotification",
	"PutBucketObjectLockConfiguration", "PutBucketOwnershipControls", "PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketRequestPayment",
	"PutBucketTagging", "PutBucketVersioning", "PutBucketWebsite", "PutEncryptionConfiguration", "PutIntelligentTieringConfiguration",
	"PutInventoryConfiguration", "PutLifecycleConfiguration", "PutMetricsConfiguration", "PutReplicationConfiguration",
}

var objectActions = []string{
	"AbortMultipartUpload", "BypassGovernanceRetention", "DeleteObject", "DeleteObjectTagging", "DeleteObjectVersion",
	"DeleteObjectVersionTagging", "GetObject", "GetObjectAcl", "GetObjectAttributes", "GetObjectLegalHold", "GetObjectRetention",
	"GetObjectTagging", "GetObjectTorrent", "GetObjectVersion", "GetObjectVersionAcl", "GetObjectVersionAttributes",
	"GetObjectVersionForReplication", "GetObjectVersionTagging", "GetObjectVersionTorrent", "InitiateReplication", "ListMultipartUploadParts",
	"ObjectOwnerOverrideToBucketOwner", "PutObject", "PutObjectAcl", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging",
	"PutObjectVersionAcl", "PutObjectVersionTagging", "ReplicateDelete", "ReplicateObject", "ReplicateTags", "RestoreObject",
}

// Known reports whether there is such an action on buckets or objects.
func Known(action string) bool {
	name, ok := strings.CutPrefix(action, "s3:")
	return ok && (slices.Contains(bucketActions, name) || slices.Contains(objectActions, name) || name == "ListAllMyBuckets")
}
