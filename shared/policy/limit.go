package policy

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keys of Limit statements that are about the life of an instance rather than
// about how much there is.
const (
	KeepAlive      = "ec2:keepalive"      // minutes
	ExpirationTime = "ec2:expirationtime" // a date
)

// quotaKeys are what a Limit statement may bound: how much of a kind whoever
// the policy is for may hold.
var quotaKeys = map[string]bool{
	"ec2:quota-vminstancenumber": true, "ec2:quota-vminstanceactivenumber": true, "ec2:quota-cputotalsize": true,
	"ec2:quota-memorytotalsize": true, "ec2:quota-disktotalsize": true, "ec2:quota-volumenumber": true,
	"ec2:quota-volumetotalsize": true, "ec2:quota-volumesize": true, "ec2:quota-snapshotnumber": true,
	"ec2:quota-imagenumber": true, "ec2:quota-addressnumber": true, "ec2:quota-securitygroupnumber": true,
	"ec2:quota-keypairnumber": true, "ec2:quota-vpcnumber": true, "ec2:quota-subnetnumber": true,
	"ec2:quota-networkinterfacenumber": true,
	"s3:quota-bucketnumber":            true, "s3:quota-bucketobjectsnumber": true, "s3:quota-buckettotalsize": true,
	"iam:quota-usernumber": true, "iam:quota-groupnumber": true, "iam:quota-rolenumber": true,
	"iam:quota-instanceprofilenumber": true, "iam:quota-policynumber": true, "iam:quota-accesskeynumber": true,
	"iam:quota-servercertificatenumber": true, "iam:quota-signingcertificatenumber": true,
	"iam:quota-openidconnectprovidernumber": true, "iam:quota-mfadevicenumber": true,
}

// IsQuota reports whether a condition key, in lower case, is one that Limit
// statements bound.
func IsQuota(key string) bool { return quotaKeys[key] }

// Quotas returns the keys that Limit statements may bound, in order.
func Quotas() []string {
	all := make([]string, 0, len(quotaKeys))
	for k := range quotaKeys {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// checkLimit holds a statement with the effect Limit to what such a one may
// say: at most so much of what Karri counts, and no longer than.
func (s *Statement) checkLimit(where string, rules Rules) error {
	switch {
	case rules.Resource || rules.Trust:
		return malformed(where+".Effect", "The policy of a resource cannot limit.")
	case len(s.Conditions) == 0:
		return malformed(where, "A statement that limits needs a Condition that says how much.")
	}
	for _, r := range s.Resources {
		if parts, ok := splitPattern(r); ok && r != "*" && parts[3] != "" && parts[3] != "*" {
			return malformed(where, "'%s': a limit is of the whole cloud, and its resources are of the region '*'.", r)
		}
	}
	for _, c := range s.Conditions {
		at := where + ".Condition." + c.Operator + "." + c.Key
		operators := []string{"NumericLessThanEquals", "NumericLessThan"}
		switch {
		case c.Set != "" || c.IfExists:
			return malformed(at, "A limit has neither a set operator nor IfExists.")
		case len(c.Values) != 1:
			return malformed(at, "A limit is one number.")
		case c.key == KeepAlive:
			operators = append(operators, "NumericEquals")
		case c.key == ExpirationTime:
			operators = []string{"DateLessThanEquals", "DateLessThan", "DateEquals"}
		case !quotaKeys[c.key]:
			return malformed(at, "'%s' is not something that can be limited.", c.Key)
		}
		if !slices.Contains(operators, c.Operator) {
			return malformed(at, "A limit of it is given by one of %s.", strings.Join(operators, ", "))
		}
		if _, ok := c.most(); c.key != ExpirationTime && !ok {
			return malformed(at, "'%s' is not a number of 0 or more.", c.Values[0])
		}
	}
	return nil
}

// most returns the largest whole number that a numeric limit admits. Below
// what 0 would admit is still 0: nothing.
func (c *Condition) most() (int64, bool) {
	n, err := strconv.ParseFloat(c.Values[0], 64)
	if err != nil || n != n || n < 0 {
		return 0, false
	}
	if c.Operator == "NumericLessThan" {
		n = max(math.Ceil(n)-1, 0)
	}
	if n = math.Floor(n); n >= math.MaxInt64 {
		return math.MaxInt64, true
	}
	return int64(n), true
}

// A Limit is the tightest bound that policies set on one key.
type Limit struct {
	Key  string // lower case
	Most int64  // of what Key counts
	By   *Statement
}

// LimitOf returns the tightest bound on a quota key that Limit statements set
// for a request. Other conditions than such bounds there are none, so that the
// answer does not depend on the request's keys, but for those that variables
// in resources name. Deny and Allow statements do not count here.
func LimitOf(r *Request, key string, policies []*Policy) (Limit, bool) {
	l := Limit{Key: key, Most: math.MaxInt64}
	eachLimit(r, key, policies, func(s *Statement, c *Condition) {
		if n, ok := c.most(); ok && (l.By == nil || n < l.Most) {
			l.Most, l.By = n, s
		}
	})
	return l, l.By != nil
}

// An Expiry is when what a request makes is to be ended.
type Expiry struct {
	At time.Time
	By *Statement
}

// ExpiryOf returns the earliest end that Limit statements set for what a
// request makes at a time.
func ExpiryOf(r *Request, made time.Time, policies []*Policy) (Expiry, bool) {
	var e Expiry
	note := func(at time.Time, s *Statement) {
		if e.By == nil || at.Before(e.At) {
			e = Expiry{at, s}
		}
	}
	eachLimit(r, KeepAlive, policies, func(s *Statement, c *Condition) {
		if n, ok := c.most(); ok && n < math.MaxInt64/int64(time.Minute) {
			note(made.Add(time.Duration(n)*time.Minute), s)
		}
	})
	eachLimit(r, ExpirationTime, policies, func(s *Statement, c *Condition) {
		if at, ok := parseDate(c.Values[0]); ok {
			note(at, s)
		}
	})
	return e, e.By != nil
}

// eachLimit calls do for each condition on key of the Limit statements that
// speak of a request.
func eachLimit(r *Request, key string, policies []*Policy, do func(*Statement, *Condition)) {
	q := &question{Request: r, action: strings.ToLower(r.Action)}
	q.arn, q.isARN = splitARN(r.Resource)
	for _, p := range policies {
		if p == nil {
			continue
		}
		for _, s := range p.Statements {
			if !s.Limit || !s.matchesAction(q.action) || !s.matchesResource(q, q.look) {
				continue
			}
			for _, c := range s.Conditions {
				if c.key == key {
					do(s, c)
				}
			}
		}
	}
}
