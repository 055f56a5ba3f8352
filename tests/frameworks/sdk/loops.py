"""Agents as people write them by hand: a loop around each provider's own client, its tools at the boundary."""

from __future__ import annotations

import json
from typing import Any

from pytest_agentreplay import tool

KEY = "sk-test-0123456789abcdef"


def _never(name: str) -> Any:
    raise AssertionError(f"a real {name} in replay")


@tool(effect="read")
def get_capital(country: str) -> str:
    return _never("get_capital")


@tool(effect="read")
def retrieve_entity_info(name: str) -> str:
    return _never("retrieve_entity_info")


@tool(effect="read")
def get_location(loc_name: str) -> str:
    return _never("get_location")


@tool(effect="read")
def get_country() -> str:
    return _never("get_country")


@tool(effect="read")
def get_product_name() -> str:
    return _never("get_product_name")


@tool(effect="read")
def get_weather(city: str) -> str:
    return _never("get_weather")


@tool(effect="read")
def get_weather_in_city(city: str) -> str:
    return _never("get_weather_in_city")


READS = (get_capital, retrieve_entity_info, get_location, get_country, get_product_name, get_weather)
TOOLS = {one.__name__: one for one in (*READS, get_weather_in_city)}


def run_tool(name: str, args: dict[str, Any]) -> tuple[Any, bool]:
    """Call a tool and tell whether it failed; its error's text is what the model gets."""
    try:
        return TOOLS[name](**args), False
    except Exception as error:  # noqa: BLE001 - a loop tells its model every error of a tool
        return str(error), True


def dumped(calls: list[Any]) -> list[dict[str, Any]]:
    """Give a client's tool calls as the JSON that it sends back."""
    return [call.model_dump(exclude_none=True) for call in calls]


def openai_chat(request: dict[str, Any], base_url: str | None = None) -> str:
    import openai

    client = openai.OpenAI(api_key=KEY, base_url=base_url)
    messages = list(request["messages"])
    while True:
        message = client.chat.completions.create(**{**request, "messages": messages}).choices[0].message
        if not message.tool_calls:
            return message.content
        messages.append({"role": "assistant", "content": message.content, "tool_calls": dumped(message.tool_calls)})
        for call in message.tool_calls:
            result, _ = run_tool(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def openai_chat_stream(request: dict[str, Any], base_url: str | None = None) -> str:
    import openai

    client = openai.OpenAI(api_key=KEY, base_url=base_url)
    messages = list(request["messages"])
    while True:
        calls: list[dict[str, Any]] = []
        text = ""
        for chunk in client.chat.completions.create(**{**request, "messages": messages}):
            delta = chunk.choices[0].delta if chunk.choices else None
            text += (delta.content if delta else None) or ""
            for part in (delta.tool_calls if delta else None) or ():
                if part.index == len(calls):
                    function = {"name": part.function.name, "arguments": ""}
                    calls.append({"id": part.id, "type": "function", "function": function})
                calls[part.index]["function"]["arguments"] += part.function.arguments or ""
        final = next((call for call in calls if call["function"]["name"] == "final_result"), None)
        if final or not calls:
            return final["function"]["arguments"] if final else text
        messages.append({"role": "assistant", "tool_calls": calls})
        for call in calls:
            result, _ = run_tool(call["function"]["name"], json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


async def openai_chat_async(request: dict[str, Any], base_url: str | None = None) -> str:
    import openai

    async with openai.AsyncOpenAI(api_key=KEY, base_url=base_url) as client:
        messages = list(request["messages"])
        while True:
            answer = await client.chat.completions.create(**{**request, "messages": messages})
            message = answer.choices[0].message
            if not message.tool_calls:
                return message.content
            messages.append({"role": "assistant", "content": message.content, "tool_calls": dumped(message.tool_calls)})
            for call in message.tool_calls:
                result, _ = run_tool(call.function.name, json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def openai_responses(request: dict[str, Any], base_url: str | None = None) -> str:
    import openai

    client = openai.OpenAI(api_key=KEY, base_url=base_url)
    given = list(request["input"])
    while True:
        response = client.responses.create(**{**request, "input": given})
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        given.append({"role": "assistant", "content": response.output_text})
        given += [item.model_dump(include={"arguments", "call_id", "name", "type"}) for item in calls]
        for call in calls:
            result, _ = run_tool(call.name, json.loads(call.arguments))
            text = result if isinstance(result, str) else json.dumps(result)
            given.append({"type": "function_call_output", "call_id": call.call_id, "output": text})


def anthropic_messages(request: dict[str, Any], base_url: str | None = None) -> str:
    import anthropic

    client = anthropic.Anthropic(api_key=KEY, base_url=base_url)
    messages = list(request["messages"])
    while True:
        answer = client.messages.create(**{**request, "messages": messages})
        said = [block.model_dump(exclude_none=True, exclude={"citations", "caller"}) for block in answer.content]
        messages.append({"role": "assistant", "content": said})
        uses = [block for block in answer.content if block.type == "tool_use"]
        if not uses:
            return answer.content[-1].text
        results = []
        for use in uses:
            result, failed = run_tool(use.name, use.input)
            results.append({"type": "tool_result", "tool_use_id": use.id, "content": result, "is_error": failed})
        messages.append({"role": "user", "content": results})


async def anthropic_messages_stream(request: dict[str, Any], base_url: str | None = None) -> str:
    import anthropic

    async with anthropic.AsyncAnthropic(api_key=KEY, base_url=base_url) as client:
        messages = list(request["messages"])
        given = {name: value for name, value in request.items() if name != "stream"}
        while True:
            async with client.messages.stream(**{**given, "messages": messages}) as stream:
                answer = await stream.get_final_message()
            said = [
                block.model_dump(exclude_none=True, include={"type", "text", "id", "name", "input"})
                for block in answer.content
            ]
            messages.append({"role": "assistant", "content": said})
            uses = [block for block in answer.content if block.type == "tool_use"]
            if not uses:
                return answer.content[-1].text
            results = []
            for use in uses:
                result, failed = run_tool(use.name, use.input)
                results.append({"type": "tool_result", "tool_use_id": use.id, "content": result, "is_error": failed})
            messages.append({"role": "user", "content": results})


def gemini(request: dict[str, Any], model: str = "gemini-2.5-pro", base_url: str | None = None) -> str:
    from google import genai
    from google.genai import types

    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(api_version="v1beta", base_url=base_url))
    declared = [
        types.FunctionDeclaration.model_validate(one)
        for tools in request["tools"]
        for one in tools["functionDeclarations"]
    ]
    config = types.GenerateContentConfig(
        system_instruction=types.Content.model_validate(request["systemInstruction"]),
        tools=[types.Tool(function_declarations=declared)],
        **{"response_modalities": ["TEXT"], "temperature": 0.0},
    )
    contents: list[Any] = [types.Content.model_validate(one) for one in request["contents"]]
    while True:
        answer = client.models.generate_content(model=model, contents=contents, config=config)
        if not answer.function_calls:
            return answer.text
        contents.append(answer.candidates[0].content)
        parts = []
        for number, call in enumerate(answer.function_calls):
            call.id = call.id or f"call_{len(contents)}_{number}"
            result, failed = run_tool(call.name, call.args)
            response = {"error" if failed else "return_value": result}
            told = types.FunctionResponse(id=call.id, name=call.name, response=response)
            parts.append(types.Part(function_response=told))
        contents.append(types.Content(role="user", parts=parts))


def bedrock(request: dict[str, Any], model: str = "us.amazon.nova-micro-v1:0", base_url: str | None = None) -> str:
    import boto3

    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        endpoint_url=base_url,
    )
    messages = list(request["messages"])
    while True:
        answer = client.converse(modelId=model, **{**request, "messages": messages})
        message = answer["output"]["message"]
        messages.append({"role": "assistant", "content": message["content"]})
        uses = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        if not uses:
            return message["content"][-1]["text"]
        results = []
        for use in uses:
            result, failed = run_tool(use["name"], use["input"])
            told = {"toolUseId": use["toolUseId"], "content": [{"text": result}]}
            results.append({"toolResult": {**told, "status": "error" if failed else "success"}})
        messages.append({"role": "user", "content": results})


def openai_responses_stream(request: dict[str, Any], base_url: str | None = None) -> str:
    import openai

    client = openai.OpenAI(api_key=KEY, base_url=base_url)
    given = list(request["input"])
    while True:
        with client.responses.stream(**{**request, "input": given}) as stream:
            response = stream.get_final_response()
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        given += [item.model_dump(include={"arguments", "call_id", "name", "type"}) for item in calls]
        for call in calls:
            result, _ = run_tool(call.name, json.loads(call.arguments))
            given.append({"type": "function_call_output", "call_id": call.call_id, "output": result})


async def gemini_stream(request: dict[str, Any], base_url: str | None = None) -> str:
    from google import genai
    from google.genai import types

    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(api_version="v1beta", base_url=base_url))
    declared = [types.FunctionDeclaration.model_validate(one) for one in request["tools"][0]["functionDeclarations"]]
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=declared)])
    contents: list[Any] = [types.Content.model_validate(one) for one in request["contents"]]
    while True:
        text, calls = "", []
        async for chunk in await client.aio.models.generate_content_stream(
            model="gemini-2.5-pro", contents=contents, config=config
        ):
            calls += chunk.function_calls or []
            text += chunk.text or "" if not chunk.function_calls else ""
        if not calls:
            return text
        contents.append(types.Content(role="model", parts=[types.Part(function_call=call) for call in calls]))
        parts = []
        for call in calls:
            result, _ = run_tool(call.name, call.args)
            parts.append(types.Part.from_function_response(name=call.name, response={"result": result}))
        contents.append(types.Content(role="user", parts=parts))


def bedrock_stream(request: dict[str, Any], base_url: str | None = None) -> str:
    import boto3

    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        endpoint_url=base_url,
    )
    messages = list(request["messages"])
    while True:
        answer = client.converse_stream(modelId="us.amazon.nova-micro-v1:0", **{**request, "messages": messages})
        text, uses = "", []
        for event in answer["stream"]:
            if "contentBlockStart" in event and "toolUse" in event["contentBlockStart"]["start"]:
                uses.append({**event["contentBlockStart"]["start"]["toolUse"], "input": ""})
            delta = event.get("contentBlockDelta", {}).get("delta", {})
            text += delta.get("text", "")
            if "toolUse" in delta:
                uses[-1]["input"] += delta["toolUse"]["input"]
        if not uses:
            return text
        said = [{"toolUse": {**use, "input": json.loads(use["input"])}} for use in uses]
        messages.append({"role": "assistant", "content": said})
        results = []
        for use in uses:
            result, _ = run_tool(use["name"], json.loads(use["input"]))
            results.append({"toolResult": {"toolUseId": use["toolUseId"], "content": [{"text": result}]}})
        messages.append({"role": "user", "content": results})
