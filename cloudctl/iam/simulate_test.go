package iam

import (
	"fmt"
	"slices"
	"testing"

	"karri/shared/action"
	"karri/shared/fault"
)

const (
	readAndNotDelete = `{"Version":"2012-10-17","Statement":[
  {"Sid":"Read","Effect":"Allow","Action":["s3:Get*","s3:DeleteObject"],"Resource":"arn:aws:s3:::pond/${aws:username}/*"},
  {"Sid":"NoDelete","Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`
	getOnly = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`
)

func trySimulation(t *testing.T, in *SimulateCustomPolicyInput) ([]EvaluationResult, error) {
	_, _, out, err := Catalog.With(&API{}).Ask(t.Context(), action.Caller{Account: "111122223333"}, action.OwnerOnly{}, "SimulateCustomPolicy", *in)
	if err != nil {
		return nil, err
	}
	return out.(*SimulatePolicyOutput).EvaluationResults, nil
}

func simulate(t *testing.T, in *SimulateCustomPolicyInput) []EvaluationResult {
	t.Helper()
	got, err := trySimulation(t, in)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestASimulationSaysWhatPoliciesWould(t *testing.T) {
	mine, yours := "arn:aws:s3:::pond/simulated/k", "arn:aws:s3:::pond/bob/k"
	got := simulate(t, &SimulateCustomPolicyInput{
		PolicyInputList: []string{readAndNotDelete}, ActionNames: []string{"s3:GetObject", "s3:DeleteObject"}, ResourceArns: []string{mine, yours},
		ContextEntries: []ContextEntry{{ContextKeyName: ptr("aws:MultiFactorAuthPresent"), ContextKeyType: ptr("boolean"), ContextKeyValues: []string{"false"}}},
	})
	var all []string
	for _, r := range got {
		all = append(all, r.EvalActionName+" "+val(r.EvalResourceName)+" "+r.EvalDecision)
	}
	want := []string{"s3:GetObject " + mine + " allowed", "s3:GetObject " + yours + " implicitDeny", "s3:DeleteObject " + mine + " explicitDeny", "s3:DeleteObject " + yours + " explicitDeny"}
	if !slices.Equal(all, want) {
		t.Errorf("got %q\nwant %q", all, want)
	}
	m := got[2].MatchedStatements[0]
	if val(m.SourcePolicyId) != "PolicyInputList.1" || fmt.Sprint(*m.StartPosition, *m.EndPosition) != "{3 3} {134 3}" {
		t.Errorf("%+v %+v %+v", val(m.SourcePolicyId), m.StartPosition, m.EndPosition)
	}
	if len(got[0].MissingContextValues) != 0 {
		t.Error(got[0].MissingContextValues)
	}
	bounded := simulate(t, &SimulateCustomPolicyInput{
		PolicyInputList: []string{readAndNotDelete}, PermissionsBoundaryPolicyInputList: []string{getOnly}, ActionNames: []string{"s3:GetObject", "s3:DeleteObject"}, ResourceArns: []string{mine},
	})
	if bounded[0].EvalDecision != "allowed" || !bounded[0].PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary ||
		bounded[1].EvalDecision != "implicitDeny" || bounded[1].PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Errorf("%+v", bounded)
	}
	if !slices.Equal(bounded[1].MissingContextValues, []string{"aws:MultiFactorAuthPresent"}) {
		t.Error(bounded[1].MissingContextValues)
	}
	open := simulate(t, &SimulateCustomPolicyInput{
		PolicyInputList: []string{getOnly}, ActionNames: []string{"s3:PutObject"}, ResourceArns: []string{mine}, CallerArn: ptr("arn:aws:iam::111122223333:user/ann"),
		ResourcePolicy: ptr(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::pond/*"}}`),
	})
	if open[0].EvalDecision != "allowed" || val(open[0].MatchedStatements[0].SourcePolicyType) != "resource" {
		t.Errorf("%+v", open)
	}
}

func TestContextKeysAreThoseOfConditionsAndVariables(t *testing.T) {
	docs, err := documents("p", []string{readAndNotDelete, getOnly})
	if got := contextKeys(docs); err != nil || !slices.Equal(got, []string{"aws:MultiFactorAuthPresent", "aws:username"}) {
		t.Error(got, err)
	}
	if _, err := documents("p", []string{"{"}); fault.CodeOf(err) != "MalformedPolicyDocument" {
		t.Error(err)
	}
}

func TestASimulationAcrossAccountsTellsBothSides(t *testing.T) {
	const theirs = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`
	in := &SimulateCustomPolicyInput{
		PolicyInputList: []string{getOnly, getOnly}, ActionNames: []string{"s3:GetObject", "s3:PutObject"}, ResourceArns: []string{"arn:aws:s3:::pond/k"},
		ResourceOwner: ptr("arn:aws:iam::444455556666:root"), CallerArn: ptr("arn:aws:iam::111122223333:user/ann"), ResourcePolicy: ptr(theirs),
		ContextEntries: []ContextEntry{{ContextKeyName: ptr("aws:SecureTransport"), ContextKeyType: ptr("boolean"), ContextKeyValues: []string{"true"}}},
	}
	got := simulate(t, in)
	if got[0].EvalDecision != "allowed" || got[1].EvalDecision != "implicitDeny" || got[1].EvalDecisionDetails["IAM Policy"] != "implicitDeny" || got[1].EvalDecisionDetails["Resource Policy"] != "allowed" {
		t.Errorf("%+v", got)
	}
	var from []string
	for _, m := range got[0].MatchedStatements {
		from = append(from, val(m.SourcePolicyId)+" "+val(m.SourcePolicyType))
	}
	if !slices.Equal(from, []string{"ResourcePolicy resource", "PolicyInputList.1 none", "PolicyInputList.2 none"}) || len(got[1].MatchedStatements) != 0 {
		t.Errorf("%q, %+v", from, got[1].MatchedStatements)
	}
	if r := got[1].ResourceSpecificResults; len(r) != 1 || r[0].EvalResourceName != "arn:aws:s3:::pond/k" || r[0].EvalResourceDecision != "implicitDeny" {
		t.Errorf("%+v", r)
	}
	in.ContextEntries = nil
	if got := simulate(t, in); got[0].EvalDecision != "implicitDeny" || got[0].EvalDecisionDetails["IAM Policy"] != "allowed" || !slices.Equal(got[0].MissingContextValues, []string{"aws:SecureTransport"}) {
		t.Errorf("%+v", got)
	}
	in.ResourceOwner, in.ContextEntries = nil, nil
	if got := simulate(t, in); got[0].EvalDecision != "allowed" || got[0].EvalDecisionDetails == nil || len(got[0].EvalDecisionDetails) != 0 {
		t.Errorf("%+v", got)
	}
	in.ResourceArns, in.ResourcePolicy = nil, nil
	if got := simulate(t, in); got[0].EvalDecision != "allowed" || got[0].EvalDecisionDetails != nil || got[0].ResourceSpecificResults != nil || val(got[0].EvalResourceName) != "*" {
		t.Errorf("%+v", got)
	}
}

func TestASimulationOfWhatCannotBeIsRefused(t *testing.T) {
	bucket := ptr(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}`)
	for _, in := range []*SimulateCustomPolicyInput{
		{ActionNames: []string{"s3:*"}}, {ActionNames: []string{"GetObject"}}, {ActionNames: []string{"s3:"}}, {ActionNames: []string{"s3:GetObject"}, ResourcePolicy: bucket},
		{ActionNames: []string{"s3:GetObject"}, ResourcePolicy: bucket, CallerArn: ptr("arn:aws:sts::111122223333:assumed-role/r/s")},
		{ActionNames: []string{"s3:GetObject"}, CallerArn: ptr("ann")},
	} {
		in.PolicyInputList = []string{getOnly}
		if _, err := trySimulation(t, in); fault.CodeOf(err) != "InvalidInput" && fault.CodeOf(err) != "ValidationError" {
			t.Errorf("%+v: %v", in, err)
		}
	}
}
