"""Messages that were sent as one attribute a leaf (`llm.input_messages.0.message.role`), put
together again in the shape of a chat API: role, content, tool_calls.
"""

from __future__ import annotations

from typing import Any

from traces.spans import Attributes, AttributeValue

_MESSAGES = ("message", "prompt", "completion")
_THINGS = ("document", "embedding")

Tree = dict[str, Any]


def collect(attributes: Attributes, prefix: str) -> list[dict[str, Any]]:
    """The messages under `prefix` (with its dot), in the order of their index."""
    return [_message(node) for node in indexed(tree(attributes, prefix))]


def tree(attributes: Attributes, prefix: str) -> Tree:
    """Everything under `prefix`, its dots made levels."""
    root: Tree = {}
    size = len(prefix)
    for name, value in attributes.items():
        if name.startswith(prefix) and value is not None:
            _place(root, name[size:].split("."), value)
    return root


def indexed(node: Any) -> list[Tree]:
    """The items of a level whose keys are numbers, in order."""
    if not isinstance(node, dict):
        return []
    numbered = [
        (int(key), item)
        for key, item in node.items()
        if key.isdecimal() and key.isascii() and len(key) < 7 and isinstance(item, dict)
    ]
    return [item for _, item in sorted(numbered, key=lambda pair: pair[0])]


def _place(node: Tree, path: list[str], value: AttributeValue) -> None:
    if len(path) > 20:
        return
    for part in path[:-1]:
        child = node.get(part)
        if not isinstance(child, dict):
            child = node[part] = {} if child is None else {"": child}
        node = child
    leaf = node.get(path[-1])
    if isinstance(leaf, dict):
        leaf[""] = value
    else:
        node[path[-1]] = value


def _message(node: Tree) -> dict[str, Any]:
    """OpenInference nests everything under what it is; OpenLLMetry does not."""
    for kind in _THINGS:
        if isinstance(node.get(kind), dict):
            return dict(node[kind])
    inner = next((node[key] for key in _MESSAGES if isinstance(node.get(key), dict)), node)
    message = (
        {**inner, "content": inner["text"]} if inner is not node and "text" in inner else inner
    )
    built: dict[str, Any] = {"role": message.get("role", "")}
    content = _content(message)
    if content is not None:
        built["content"] = content
    calls = [call for item in indexed(message.get("tool_calls")) if (call := _tool_call(item))]
    legacy = message.get("function_call_name")
    if legacy:
        calls.append(_function(legacy, message.get("function_call_arguments_json", "")))
    if calls:
        built["tool_calls"] = calls
    for key in ("name", "tool_call_id", "finish_reason"):
        if message.get(key):
            built[key] = message[key]
    return built


def _content(message: Tree) -> Any:
    blocks = [_block(item) for item in indexed(message.get("contents"))]
    content = message.get("content")
    if isinstance(content, dict):
        content = content.get("")
    if not blocks:
        return content
    return [{"type": "text", "text": content}, *blocks] if content else blocks


def _block(node: Tree) -> dict[str, Any]:
    inner = node.get("message_content")
    block: Tree = dict(inner) if isinstance(inner, dict) else dict(node)
    for kind in ("image", "audio", "video", "document"):
        media = _flattened(block.get(kind))
        if media:
            url = media.get("url", "")
            block[kind] = {"url": url, "mime_type": media.get("mime_type", "")}
    return block


def _flattened(node: Any) -> Tree:
    """`{"image": {"url": …}}` and `{"url": …}` alike."""
    while isinstance(node, dict) and len(node) == 1 and isinstance(next(iter(node.values())), dict):
        node = next(iter(node.values()))
    return node if isinstance(node, dict) else {}


def _tool_call(node: Tree) -> dict[str, Any] | None:
    inner = node.get("tool_call")
    call = inner if isinstance(inner, dict) else node
    function = call.get("function")
    details = function if isinstance(function, dict) else call
    name = details.get("name", "")
    if not name and not call.get("id"):
        return None
    identity = {"id": call["id"]} if call.get("id") else {}
    return {**identity, **_function(name, details.get("arguments", ""))}


def _function(name: Any, arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}}
