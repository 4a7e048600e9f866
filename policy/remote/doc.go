// Package remote lets a bigger language model elsewhere choose the next skill,
// through an endpoint that speaks as OpenAI's chat completions do (llama.cpp's
// server, vLLM and others), with the robot's own planner behind it.
//
//	request ─► options that are possible ─► POST …/chat/completions ─► one of them? ─► Decision
//	                                              └ slow, down, anything else ─► the local planner
//
// The reply is read strictly: it must be the phrase of one option that was offered,
// as a line by itself. Whatever else it says is dropped, so that a model elsewhere,
// or who sits between, can choose among the skills that are possible now and
// nothing more; the safety core is behind that in any case. Object names that are
// not plain words are offered to nobody (skill.PlainName).
//
// One decision takes Config.Timeout at most, reads 64 KiB at most and follows no
// redirect. After a fault the endpoint is left alone for Config.Rest, so that one
// that is down costs its timeout once and not at each step. Every fault is told
// through Config.Problem.
//
// A Planner belongs to one goroutine at a time, and is a Planner of policy/agent.
package remote
