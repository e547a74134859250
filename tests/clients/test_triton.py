"""The real client of NVIDIA Triton against a running `onrecord serve`.

    ONRECORD_URL=http://127.0.0.1:8080 python -m unittest discover -s tests/clients -p test_triton.py
"""

import json
import os
import unittest
import urllib.parse

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

MODEL = "onrecord-small"
TEXTS = [
    "“The pier is beyond repair,” said Claire Moreau, the harbour’s chief.",
    "🚂🚂 Zoë Müller told Le Monde that the café in Orléans would close.",
    "According to José Ángel Pérez, “nobody” had asked the ministry. 🦀",
]


def spans(value):
    """Everything in a result that has a place in the text."""
    if isinstance(value, dict):
        if "start" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from spans(item)


@unittest.skipUnless(os.environ.get("ONRECORD_URL"), "ONRECORD_URL is not set")
class TritonClient(unittest.TestCase):
    def setUp(self):
        address = urllib.parse.urlsplit(os.environ["ONRECORD_URL"])
        self.client = triton.InferenceServerClient(address.netloc + address.path, network_timeout=120.0)
        self.addCleanup(self.client.close)

    def infer(self, texts, binary_input=True, outputs=None, shape=None, **options):
        """The results as the client gives them, and the whole response."""
        array = np.array(texts, dtype=object).reshape(shape or [len(texts)])
        tensor = triton.InferInput("text", list(array.shape), "BYTES")
        tensor.set_data_from_numpy(array, binary_data=binary_input)
        response = self.client.infer(MODEL, [tensor], outputs=outputs, **options)
        return [json.loads(result) for result in response.as_numpy("result")], response

    def check(self, results, texts):
        """Whether results belong to the texts, as far as the model's errors let that be said."""
        self.assertEqual(len(results), len(texts))
        for result, text in zip(results, texts):
            self.assertEqual(result["schema"], 1)
            places = list(spans(result))
            self.assertTrue(places, msg=f"nothing found in {text!r}")
            for place in places:
                self.assertEqual(text[place["start"] : place["end"]], place["text"])

    def test_the_server_tells_what_it_is(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        metadata = self.client.get_server_metadata()
        self.assertEqual(metadata["name"], "onrecord")
        self.assertEqual(metadata["extensions"], ["binary_tensor_data"])

    def test_the_model_tells_what_it_is(self):
        self.assertTrue(self.client.is_model_ready(MODEL))
        metadata = self.client.get_model_metadata(MODEL)
        self.assertEqual(metadata["name"], MODEL)
        tensor = {"datatype": "BYTES", "shape": [-1]}
        self.assertEqual(metadata["inputs"], [{"name": "text", **tensor}])
        self.assertEqual(metadata["outputs"], [{"name": "result", **tensor}])
        for version in metadata["versions"]:
            self.assertTrue(self.client.is_model_ready(MODEL, version))
            self.assertEqual(self.client.get_model_metadata(MODEL, version), metadata)

    def test_texts_and_results_in_json_and_in_binary(self):
        expected, _ = self.infer(TEXTS)
        for binary_input in (False, True):
            for binary_output in (False, True):
                with self.subTest(binary_input=binary_input, binary_output=binary_output):
                    outputs = [triton.InferRequestedOutput("result", binary_data=binary_output)]
                    results, response = self.infer(TEXTS, binary_input, outputs, request_id="r-1")
                    self.check(results, TEXTS)
                    self.assertEqual(results, expected)
                    self.assertEqual(response.get_response()["id"], "r-1")
                    self.assertEqual("data" in response.get_output("result"), not binary_output)

    def test_no_outputs_asked_for_means_all_in_binary(self):
        results, response = self.infer(TEXTS)
        self.check(results, TEXTS)
        self.assertNotIn("data", response.get_output("result"))
        self.assertEqual(response.get_response()["model_name"], MODEL)

    def test_a_column_or_a_row_of_texts(self):
        for shape in ([len(TEXTS), 1], [1, len(TEXTS)]):
            with self.subTest(shape=shape):
                results, _ = self.infer(TEXTS, shape=shape)
                self.check(results, TEXTS)

    def test_options_are_parameters_of_the_request(self):
        results, _ = self.infer(TEXTS, parameters={"offset_unit": "utf16"})
        for result, text in zip(results, TEXTS):
            self.assertEqual(result["offset_unit"], "utf16")
            units = text.encode("utf-16-le")
            for place in spans(result):
                found = units[2 * place["start"] : 2 * place["end"]].decode("utf-16-le")
                self.assertEqual(found, place["text"])

    def test_a_bad_document_costs_its_own_error(self):
        for bad, code in (("", "empty_document"), (" \n", "empty_document"), (b"caf\xe9", "invalid_utf8")):
            with self.subTest(code=code):
                results, _ = self.infer([TEXTS[0], bad, TEXTS[1]])
                self.check([results[0], results[2]], TEXTS[:2])
                self.assertEqual(results[1]["error"]["code"], code)
                self.assertTrue(results[1]["error"]["message"])

    def test_faults_are_told(self):
        def message(*arguments, **options):
            with self.assertRaises(InferenceServerException) as raised:
                self.client.infer(*arguments, **options)
            self.assertRegex(raised.exception.status(), "^4..$")
            return raised.exception.message()

        def tensor(name, array, datatype):
            tensor = triton.InferInput(name, list(array.shape), datatype)
            tensor.set_data_from_numpy(array)
            return tensor

        text = tensor("text", np.array(["A word."], dtype=object), "BYTES")
        self.assertTrue(message("another-model", [text]))
        self.assertIn("result", message(MODEL, [text], outputs=[triton.InferRequestedOutput("entities")]))
        self.assertIn("text", message(MODEL, [tensor("texts", np.array(["A word."], dtype=object), "BYTES")]))
        self.assertIn("BYTES", message(MODEL, [tensor("text", np.array([1.0], dtype=np.float32), "FP32")]))
        self.assertFalse(self.client.is_model_ready("another-model"))
        with self.assertRaises(InferenceServerException):
            self.client.get_model_metadata("another-model")

    def test_the_connection_outlives_a_fault(self):
        with self.assertRaises(InferenceServerException):
            self.infer(TEXTS, shape=[1, 1, len(TEXTS)])
        results, _ = self.infer(TEXTS)
        self.check(results, TEXTS)


if __name__ == "__main__":
    unittest.main()
